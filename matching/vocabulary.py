"""How catalogues say that a recording is another one (versions), or the same one in another edition.

Every pattern is searched in the words of one aside: what stands in a bracket, or after a dash, cut at
slashes and commas. Words of several languages, as they stand on releases.
"""

import re

_LIVE_IN_OTHER_WORDS = (
    "in concert|en concert|en concierto|em concerto|in concerto|im konzert|en vivo|ao vivo|en directo|"
    "directo(?=[)\\]]?$)|en directe|in diretta|dal vivo|na zywo|unplugged|live lounge"
)
_LIVE_IN_OTHER_SCRIPTS = (
    "(?<![ァ-ヺー])ライ[ブヴ](?![ァ-ヺー])|ライ[ブヴ](バー|ヴァー)ジョン|(?<![가-힣])라이브|现场|現場|演唱会|演唱會|"
    "^(концерт|живое|живое исполнение|живои звук)$|\\bконцертн(ая|ое) (запись|версия|исполнение)\\b"
)
"""A longer word of such letters is another one ("drive"); in Russian a concert may be a concerto. Folding has
made one letter of two."""

_NOT_LIVE = (
    "a|an|again|and|better|fast|for|forever|free|her|him|is|it|life|like|love|me|more|my|now|on|or|our|so|the|"
    "this|through|to|together|up|wire|without|your"
)
"""Words after 'live' that make it a verb: "(Live and Let Die)"."""

_LIVE = f"live\\b(?! ({_NOT_LIVE})\\b(?! (acoustic|unplugged|stage|air|tv|radio)\\b))"

_NO_REMIX = (
    "original",
    "album",
    "single",
    "radio",
    "mono",
    "stereo",
    "main",
    "lp",
    "7",
    "7 inch",
    "[0-9]{4}",
)
"""Words before 'mix' that say it is no other one than the first."""

VERSIONS = {
    "live": (
        f"^{_LIVE}|"
        "\\blive (version|recording|sessions?|performance|take)\\b|"
        "\\b(recorded|acoustic|bbc|radio|tv|mtv|solo|studio|[0-9]{4}) live\\b|"
        f"\\b({_LIVE_IN_OTHER_WORDS})\\b|{_LIVE_IN_OTHER_SCRIPTS}"
    ),
    "session": (
        "\\b(bbc|peel|radio|maida vale|kexp|studio|acoustic|spotify|itunes|aol)( [0-9]+)? sessions?\\b|"
        "^sessions?$|^recorded at\\b|^spotify singles?$"
    ),
    "acoustic": "\\b(acoustic|acustic[oa]|acoustique|akustik|unplugged|stripped)\\b",
    "remix": (
        "\\b(remix|remixed|remixes|rmx|rework|reworked|refix|bootleg|mashup)\\b|^mix$|"
        + "".join(f"(?<!{word})" for word in _NO_REMIX)
        + " mix$"
    ),
    "extended": "\\bextended\\b|\\b12 (inch|version|mix)\\b|^(the )?(long|maxi) version$",
    "dub": "\\bdub( mix| version)?$",
    "demo": "^demos?\\b|\\bdemos?( version| take| recording| mix)?( [0-9]+)?$",
    "instrumental": "\\b(instrumental(e|es|a)?|inst|off vocal)\\b|(?<![ァ-ヺー])インスト|伴奏",
    "karaoke": (
        "\\b(karaoke|sing along|singalong|backing track|in the style of|made famous by|"
        "originally performed by)\\b|カラオケ"
    ),
    "cover": "\\bcover( version)?$|^(cover|tribute)\\b|\\btribute( to)?\\b",
    "acappella": "\\b(a capp?ella|acc?app?ella)\\b",
    "reprise": "\\breprise$",
    "alternate": (
        "\\b(alternate|alternative|alt|early|first|different|rough|unreleased) "
        "(take|version|mix|vocal|ending|recording)\\b|\\b(out ?takes?|rehearsal)\\b|^take [0-9]+\\b"
    ),
    "rerecorded": "\\b(re ?recorded|re ?recording|new recording)\\b",
    "arranged": (
        "\\b(orchestral|orchestra|symphonic|strings?|piano|guitar|string quartet) (version|mix)\\b|"
        "^(piano|orchestral|symphonic|solo piano)$"
    ),
    "translated": (
        "\\b(english|spanish|french|german|italian|portuguese|japanese|korean|mandarin|russian) "
        "ver(sion)?\\b|"
        "^(version )?(en espanol|in english|auf deutsch|en francais|in italiano|em portugues|en ingles)$"
    ),
    "altered": "\\b(slowed|sped up|speed up|nightcore|screwed|chopped)\\b",
    "spoken": "\\b(commentary|interview)\\b",
}

EDITIONS = {
    "remaster": "\\bre ?master\\w*\\b",
    "mono": "\\bmono\\b",
    "stereo": "\\bstereo\\b",
    "explicit": "\\bexplicit\\b|^(dirty|uncensored)( version)?$",
    "clean": "^(clean|censored|amended)\\b",
    "bonus": "\\bbonus\\b",
    "album": "\\b(album|lp|cd|studio) (version|mix|edit|cut)\\b|^album$",
    "single": "\\b(single|45|7( inch)?) (version|mix|edit|cut)\\b|^single$",
    "edit": "\\bedit(ed)?( version)?$|\\b(radio|video|short|edited) (version|mix|cut)\\b",
    "soundtrack": (
        "^(from|music from|theme from|love theme from|main theme from|tema de|de la pelicula|du film)\\b|"
        "\\b(soundtrack|motion picture)\\b"
    ),
    "reissue": (
        "\\b(deluxe|expanded|anniversary|collectors|legacy|special|limited)( [0-9]+)?( edition)?( version)?$|"
        "\\b(edition|reissued?|re issue|rerelease)\\b"
    ),
    "original": "^original( (version|mix|recording|single|album))*$|^[0-9]{4} mix$",
    "release": (
        "^(us|uk|european|international|film|movie|full|full length|main|standard|digital|uncut|complete|"
        "final|tv|vinyl|itunes|original press) version$"
    ),
}

ANY_VERSION = re.compile("\\b(version|versao|versione|fassung)( [0-9]+)?$")
"""A version of which nothing is known that says which: taken for another recording."""

GUESTS = "feat|ft|featuring"
"""Words before a guest that mean nothing else."""

GUESTS_IN_ASIDE = f"{GUESTS}|with|w/|duet with|con|avec|mit|med|com|starring"
"""Words before a guest that may mean something else within a title."""

NO_GUEST = (
    "a|an|my|your|you|me|myself|yourself|us|it|her|him|them|no|out|love|every|all|this|that|un|una|el|la|te|ti|"
    "moi|toi"
)
"""Words after one of these that say it was no guest."""

KEPT_ASIDE = re.compile(
    "^(part|pt|parts|teil|parte|partie|vol|volume|no|nr|op|opus|bwv|act|chapter|movement|mvt|book|side|episode)\\b"
    "\\W*([0-9]+|[ivx]+|one|two|three|four|five|[ab])\\b|^[0-9]{1,2}$|^[ivx]+$"
)
"""An aside that tells this piece from another one."""

TAIL = re.compile(
    "(?<=\\S) ((album|lp|radio|single|extended|original|club|acoustic|live|demo|instrumental|mono|stereo) "
    "(version|mix|edit|remix)|remix|remaster(ed)?( version)?)$"
)
"""A tag at the end of a title, with neither bracket nor dash before it."""

LIVE_RELEASE = re.compile(
    "(^|, )live(!| (at|in|from|on (stage|air|tv|radio))) (?!the (moment|now|heart)|fear|peace|love|my|your)|"
    f"^live!?$|([(\\[:]|\\s-) ?{_LIVE}|\\blive (19|20)[0-9][0-9]\\b|"
    f"\\b({_LIVE_IN_OTHER_WORDS})\\b|{_LIVE_IN_OTHER_SCRIPTS}|^(the )?bbc sessions?\\b"
)
"""A release that is a concert as a whole. 'Live' elsewhere in a name is a verb as often ('Live Through This',
'How We Live'), or the name of a band."""
