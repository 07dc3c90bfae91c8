# The extractor of playlists: docker run IMAGE --bucket NAME ID [ID ...]
FROM python:3.11-slim
WORKDIR /warehouse
COPY requirements.lock pyproject.toml README.md ./
RUN python -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY ingestion ingestion
COPY matching matching
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .
# Tokens, the count of requests, answers that are not in the lake yet: a volume keeps them between runs.
ENV WAREHOUSE_DATA_DIR=/data SPOTIFY_LEDGER_DIR=/data/spotify
RUN useradd --create-home extractor && mkdir /data && chown extractor /data
VOLUME /data
USER extractor
ENTRYPOINT ["python", "-m", "ingestion", "spotify"]
