"""Word lists that names and titles are put together from, and the bits of noise put on them."""


def _words(text: str, separator: str = " ") -> tuple[str, ...]:
    return tuple(text.split(separator))


ADJECTIVES = _words(
    "Amber Blue Broken Burning Careless Crooked Crystal Distant Drifting Electric Empty Endless Fading "
    "Faithful Foreign Forgotten Frozen Gentle Golden Hidden Hollow Hungry Idle Kind Lonely Lost Lucky "
    "Marble Midnight Modern Naked Narrow Northern Paper Patient Perfect Plastic Quiet Restless Rolling "
    "Rusty Sacred Scarlet Secret Silver Simple Sleeping Slow Stolen Strange Sudden Sunken Tender Velvet "
    "Violet Wandering Wicked Wild Winter Wooden Yellow Young"
)
NOUNS = _words(
    "Anchor Angel Arrow Autumn Balcony Ballroom Basement Bicycle Border Bridge Candle Canyon Carnival "
    "Castle Chapel Circle City Cloud Compass Crown Dancer Desert Diamond Engine Evening Ferry Fire "
    "Fountain Garden Gambler Ghost Harbour Heart Highway Horizon Hotel Hunter Island Junction Kingdom "
    "Ladder Lantern Letter Lighthouse Machine Map Market Meadow Memory Mirror Moon Morning Motel Mountain "
    "Museum Ocean Orchard Parade Passenger Piano Pilot Planet Rain River Road Runner Sailor Satellite "
    "Season Shadow Signal Sister Skyline Snow Soldier Station Stone Storm Stranger Street Summer Tide "
    "Tower Traveller Valley Voice Waltz Water Weather Whisper Window Witness"
)
VERBS = _words(
    "Break Burn Call Carry Catch Chase Cross Dream Feed Find Follow Forget Hold Keep Leave Light Open "
    "Paint Remember Save Shake Sing Steal Turn Wake Watch"
)
PLACES = _words(
    "Antwerp Bergen Bristol Cairo Calais Dakota Dover Galway Geneva Havana Kyoto Lisbon Madrid Memphis "
    "Nairobi Oslo Porto Riga Saigon Tangier Toledo Trieste Tulsa Vienna"
)
FIRST_NAMES = _words(
    "Ada Boris Carla Dexter Elena Felix Greta Hugo Ines Jonas Karin Lionel Mira Nadia Oscar Petra Quentin "
    "Rosa Silas Tessa Ulrich Vera Wanda Yusuf"
)
LAST_NAMES = _words(
    "Abbot Baines Calloway Dunmore Eastwick Farrow Gilroy Hartnell Ivers Jessup Kincaid Lockhart Marlowe "
    "Norwood Oakley Penrose Quill Radley Sandoval Tarrant Underhill Vance Whitlock Yardley"
)
BAND_NOUNS = _words(
    "Alibis Astronauts Badgers Bandits Brothers Cartographers Choir Collective Comets Company Detectives "
    "Ensemble Foxes Herons Kites Lanterns Magnets Orchestra Owls Pilots Quartet Rivals Scouts Sisters "
    "Sparrows Strangers Trio Tigers Union Vandals Wolves"
)

ACCENTED_TITLES = _words(
    "Café {place}|Última {noun}|Señora {name}|La Canción de {name}|Été à {place}|Mañana en {place}|"
    "Déjà Vu in {place}|Für {name}|Über {place}|Où est {name}|Más {noun}|Nº 9 {place}|Coração de {place}|"
    "Förlåt {name}|Þoka yfir {place}",
    separator="|",
)
ACCENTED_ARTISTS = _words(
    "Björn Valdersø|José Marañón|Les Étoiles Perdues|Maëlle Brügge|Orquestra São Telmo|Señor Relámpago|"
    "Zoé Lefèvre|Östra Kören|Café Nébula|Dúo Añil|Żółte Okna|Tröstende Nächte",
    separator="|",
)
FOREIGN_SCRIPT_TITLES = _words(
    "Тихая река|Последний трамвай|Белые окна|夜の港|遠い灯台|雨の駅|밤의 항구|رسالة الليل",
    separator="|",
)

GENRES = {
    "rock": ("rock", "guitar", "classic rock", "garage rock", "hard rock"),
    "indie": ("indie rock", "indie pop", "lo-fi", "alternative", "shoegaze"),
    "pop": ("pop", "female vocalist", "dance pop", "power pop", "teen pop"),
    "electronic": ("electronic", "house", "techno", "ambient", "downtempo"),
    "hip hop": ("hip hop", "rap", "underground rap", "gangster rap", "turntablism"),
    "jazz": ("jazz", "swing", "bebop", "piano", "smooth jazz"),
    "folk": ("folk", "singer-songwriter", "acoustic", "folk rock", "celtic"),
    "metal": ("metal", "heavy metal", "death metal", "doom metal", "thrash"),
    "soul": ("soul", "r&b", "funk", "motown", "neo soul"),
    "reggae": ("reggae", "dub", "ska", "dancehall", "roots reggae"),
    "country": ("country", "alt-country", "bluegrass", "honky tonk", "americana"),
    "latin": ("latin", "salsa", "bossa nova", "tango", "cumbia"),
}
"""Genre -> the terms that its artists are described with."""

COMMON_TERMS = (
    "80s",
    "90s",
    "beautiful",
    "chill",
    "cover",
    "live",
    "male vocalist",
    "soundtrack",
    "usa",
)

LOCATIONS = (
    ("Bristol, England", 51.45366, -2.59143),
    ("California - LA", 34.05349, -118.24532),
    ("Detroit, MI", 42.33168, -83.04792),
    ("Göteborg, Sweden", 57.70133, 11.96689),
    ("Kingston, Jamaica", 17.9712, -76.79279),
    ("Lisbon, Portugal", 38.72568, -9.15025),
    ("Montréal, Québec", 45.51228, -73.55439),
    ("Nashville, TN", 36.16778, -86.77836),
    ("New York, NY", 40.71455, -74.00712),
    ("São Paulo, Brazil", -23.5629, -46.6544),
    ("Tokyo, Japan", 35.67048, 139.74092),
    ("Wellington, New Zealand", -41.2924, 174.77858),
)
"""Place, latitude, longitude (degrees)."""

REMASTER_FORMS = (" - Remastered 2011", " - 2011 Remaster", " - Remastered", " (2011 Remastered Version)")

LABELS = ("Cinder Lane Records", "Halyard Music", "Northlight", "Paper Moth", "Tin Bell Recordings")
MARKETS = (
    ("AR", "AU", "BR", "CA", "DE", "ES", "FR", "GB", "IT", "JP", "MX", "NL", "SE", "US"),
    ("AT", "CH", "DE"),
    ("CA", "GB", "IE", "US"),
    ("US",),
    (),
)
"""Sets of countries that a track is licensed for; the last one is a track no longer playable anywhere."""

PLAYLIST_MOODS = _words(
    "Autumn Bedtime Breakfast Coding Commute Cooking Garden Gym Late-Night Monday Rainy-Day Road-Trip "
    "Running Sleepy Study Summer Sunday Throwback Wedding Weekend"
)
PLAYLIST_FORMS = ("mix", "favourites", "vibes", "playlist", "songs", "hours", "classics", "discoveries")
SHOWS = ("The Long Interval", "Kitchen Table History", "Records We Missed")
