"""Extract and load: from the outside world to the raw schemas.

Extractors read a source and write Parquet parts and done-records to the lake
(`lake.py`, `extract.py`); one loader brings what is new into the raw schemas
(`load.py`). Nothing here transforms: cleaning is dbt's staging layer.
The orchestrator is never imported here.
"""

from ingestion.memory import use_one_heap

use_one_heap()
