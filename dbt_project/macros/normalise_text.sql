{#-
    A title or a name as a key to compare by: lower case, no accents on Latin letters, '&' as 'and',
    no apostrophes, other punctuation as a space, single spaces. Letters of other scripts stay.

    A text of punctuation alone ('!!!') stands for itself, so it equals nothing but itself;
    an empty text is NULL and so equals nothing at all.

    translate() builds its table anew for every row (measured on DuckDB: 12 us with 250 letters,
    0.8 us with 30), so accents are looked for only where the text has more bytes than characters.
-#}
{% macro normalise_text(text) -%}
    coalesce(
        nullif(
            trim({{ regexp_replace_all(punctuation_to_spaces(latin_to_ascii("lower(" ~ text ~ ")")), ' +', ' ') }}),
            ''
        ),
        nullif(trim(lower({{ text }})), '')
    )
{%- endmacro %}

{#- Latin letters of a lower-case text without their accents, whether composed or combining. -#}
{% macro latin_to_ascii(text) -%}
    {%- set letters = {
        'a': 'àáâãäåāăąǎạảấầẩẫậắằẳẵặ',
        'c': 'çćĉċč',
        'd': 'ďđð',
        'e': 'èéêëēĕėęěẹẻẽếềểễệ',
        'g': 'ĝğġģ',
        'h': 'ĥħ',
        'i': 'ìíîïĩīĭįıǐỉị',
        'j': 'ĵ',
        'k': 'ķ',
        'l': 'ĺļľł',
        'n': 'ñńņňŋ',
        'o': 'òóôõöōŏőøǒọỏốồổỗộớờởỡợơ',
        'r': 'ŕŗř',
        's': 'śŝşšș',
        't': 'ţťŧț',
        'u': 'ùúûüũūŭůűųǔụủứừửữựư',
        'w': 'ŵ',
        'y': 'ýÿŷỳỵỷỹ',
        'z': 'źżž'
    } -%}
    {%- set accented = letters.values() | join -%}
    {%- set plain = [] -%}
    {%- for letter, variants in letters.items() -%}
        {%- do plain.append(letter * (variants | length)) -%}
    {%- endfor -%}
    {#- Characters without a counterpart are removed: grave, acute, circumflex, tilde, macron,
        breve, dot above, diaeresis, ring, double acute, caron, dot below, cedilla, ogonek. -#}
    {%- set combining = '\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0323\u0327\u0328' -%}
    case
        when {{ byte_length(text) }} = length({{ text }}) then {{ text }}
        else
            replace(replace(replace(replace(
                translate({{ text }}, '{{ accented }}{{ combining }}', '{{ plain | join }}'),
                'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
    end
{%- endmacro %}

{#- Apostrophes removed, '&' as 'and', every other punctuation mark as a space. -#}
{% macro punctuation_to_spaces(text) -%}
    {%- set marks = '!"#$%()*+,-./:;<=>?@[]^_{|}~\u00a0\u00a1\u00ab\u00b7\u00bb\u00bf\u2010\u2011\u2012\u2013\u2014\u201c\u201d\u201e\u2022\u2026' -%}
    {#- Jinja reads no backslash of its own here, and Redshift reads one as an escape: code 92. -#}
    {%- set apostrophes = "''`\u00b4\u2018\u2019" -%}
    translate(
        replace({{ text }}, '&', ' and '),
        '{{ marks }}' || chr(92) || '{{ apostrophes }}',
        '{{ ' ' * (marks | length + 1) }}'
    )
{%- endmacro %}
