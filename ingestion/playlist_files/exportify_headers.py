# ruff: noqa: RUF001  (letters of other languages are meant here)
"""The column names that Exportify and its relatives write, in every language they come in.

Facts about a format, gathered from the exporters' public sources: watsonbox/exportify (one
header per interface language), pavelkomarov/exportify, and earlier versions of both.
"""

HEADERS: dict[str, tuple[str, ...]] = {
    "track_uri": (
        "Track URI", "Spotify URI", "Spotify ID", "Track ID", "Spotify Track URI", "Spotify Track ID",
        "Track-URI", "URI de la canción", "URI du titre", "URI della traccia", "Nummer URI",
        "URI da faixa", "Låtens URI", "Parça URI", "URI κομματιού", "トラックURI", "曲目 URI",
        "歌 Link", "رابط الأغنية (URI)",
    ),
    "track_name": (
        "Track Name", "Song Name", "Track-Name", "Nombre de la canción", "Nom du titre",
        "Nome della traccia", "Nummernaam", "Nome da faixa", "Låtens namn", "Parça Adı",
        "Όνομα κομματιού", "トラック名", "曲目名称", "曲目名稱", "歌名", "اسم الأغنية",
    ),
    "artist_uris": (
        "Artist URI(s)", "Artist URIs", "Artist URI", "Artist IDs", "Artist ID(s)", "Artist ID",
        "Künstler-URI(s)", "URI(s) del artista", "URI(s) de l'artiste", "URI dell'artista",
        "Artiest-URI", "URI(s) do artista", "Artistens URI", "Sanatçı URI", "URI καλλιτέχνη/ων",
        "アーティストURI", "艺人 URI", "藝人 URI", "Artist Link", "روابط الفنانين (URI)",
    ),
    "artist_names": (
        "Artist Name(s)", "Artist Names", "Artist Name", "Künstlername(n)", "Nombre(s) del artista",
        "Nom(s) de l'artiste", "Nome dell'artista", "Naam van artiest", "Nome(s) do artista",
        "Artistens namn", "Sanatçı Adı", "Όνομα/τα καλλιτέχνη", "アーティスト名", "艺人名称",
        "藝人名稱", "Artist 名", "أسماء الفنانين",
    ),
    "album_uri": (
        "Album URI", "Album ID", "Album-URI", "URI del álbum", "URI de l'album", "URI dell'album",
        "URI do álbum", "Albumets URI", "Albüm URI", "URI άλμπουμ", "アルバムURI", "专辑 URI",
        "專輯 URI", "專輯 Link", "رابط الألبوم (URI)",
    ),
    "album_name": (
        "Album Name", "Album", "Album-Name", "Nombre del álbum", "Nom de l'album", "Nome dell'album",
        "Naam van album", "Nome do álbum", "Albumets namn", "Albüm Adı", "Όνομα άλμπουμ",
        "アルバム名", "专辑名称", "專輯名稱", "專輯名", "اسم الألبوم",
    ),
    "release_date": (
        "Album Release Date", "Release Date", "Veröffentlichungsdatum des Albums",
        "Fecha de lanzamiento del álbum", "Date de sortie de l'album", "Data di rilascio dell'album",
        "Releasedatum van het album", "Data de lançamento do álbum", "Albumets releasedatum",
        "Albüm Çıkış Tarihi", "Ημερομηνία κυκλοφορίας άλμπουμ", "アルバム発売日", "专辑发行日期",
        "專輯發行日期", "專輯發行日", "تاريخ إصدار الألبوم",
    ),
    "duration_ms": (
        "Track Duration (ms)", "Duration (ms)", "Track-Dauer (ms)", "Duración de la canción (ms)",
        "Durée du titre (ms)", "Durata della traccia (ms)", "Nummerduur (ms)", "Duração da faixa (ms)",
        "Låtlängd (ms)", "Parça Süresi (ms)", "Διάρκεια κομματιού (ms)", "トラックの長さ（ミリ秒）",
        "曲目时长（毫秒）", "曲目長度（毫秒）", "曲目時長（毫秒）", "مدة الأغنية (بالمللي ثانية)",
    ),
    "is_explicit": (
        "Explicit", "Explicit?", "Is Explicit", "Explizit", "Explícito", "Explicite", "Esplicito",
        "Expliciet", "Explícita", "Açık İçerik", "Ακατάλληλο", "明示的な内容", "含露骨内容",
        "含露骨內容", "家長指引", "صريح",
    ),
    "popularity": (
        "Popularity", "Track Popularity", "Beliebtheit", "Popularidad", "Popularité", "Popolarità",
        "Populariteit", "Popularidade", "Popularitet", "Popülerlik", "Δημοτικότητα", "人気度", "热度",
        "熱門度", "الشعبية",
    ),
    "isrc": ("ISRC", "Track ISRC"),
    "added_by": (
        "Added By", "Hinzugefügt von", "Añadido por", "Ajouté par", "Aggiunto da", "Toegevoegd door",
        "Adicionado por", "Tillagd av", "Ekleyen", "Προστέθηκε από", "追加者", "添加者", "新增者",
        "加入者", "أضيف بواسطة",
    ),
    "added_at": (
        "Added At", "Date Added", "Hinzugefügt am", "Añadido en", "Ajouté le", "Aggiunto il",
        "Toegevoegd op", "Adicionado em", "Tillagd vid", "Eklenme Tarihi", "Προστέθηκε στις",
        "追加日時", "添加时间", "新增時間", "加入時間", "أضيف في",
    ),
    "playlist_name": ("Playlist Name", "Playlist"),
}  # fmt: skip
"""Column role -> its names; a header is matched without regard to case and white space."""


def header_key(name: str) -> str:
    """A column name as it is compared: case-folded, white space collapsed."""
    return " ".join(name.split()).casefold()


ROLES: dict[str, str] = {header_key(name): role for role, names in HEADERS.items() for name in names}
