-- What the statements of the corpus read and write, in a schema `lab`.
create table lab.artists (
    artist_id varchar(18) not null,
    artist_name varchar(200),
    primary key (artist_id)
);
create table lab.songs (
    song_id varchar(18) not null,
    artist_id varchar(18),
    title varchar(200),
    tags varchar(500),
    details varchar(1000),
    key_name char(2),
    release_year integer,
    duration_seconds double precision,
    tempo_bpm double precision,
    is_remix boolean,
    released_on date,
    extracted_at timestamp,
    primary key (song_id)
);
create table lab.plays (
    song_id varchar(18),
    played_on date,
    play_count bigint
);
create table lab.plays_of_today (
    song_id varchar(18),
    played_on date,
    play_count bigint
);
insert into lab.artists values ('AR1', 'Ava'), ('AR2', 'Bo');
insert into lab.songs values
    ('SO1', 'AR1', 'One', 'rock,pop', '{"genre": "rock", "moods": ["sad", "slow"]}', 'C', 1999, 180.5, 120.0, false, '1999-05-01', '2026-01-02 03:04:05'),
    ('SO2', 'AR1', 'Two', 'jazz', '{"genre": "jazz", "moods": []}', 'C#', 2004, 240.0, 90.0, true, '2004-01-31', '2026-01-02 03:04:05'),
    ('SO3', 'AR2', '1999', null, null, null, null, null, null, null, null, '2026-01-03 00:00:00');
insert into lab.plays values ('SO1', '2026-01-01', 3), ('SO1', '2026-01-02', 4), ('SO2', '2026-01-01', 1);
insert into lab.plays_of_today values ('SO1', '2026-01-02', 5), ('SO3', '2026-01-02', 1);
