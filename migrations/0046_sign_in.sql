-- Signing in by codes and links: proven addresses, codes that are good, what is to be mailed or texted, how often was asked.
-- All times are machine time: they guard doors, whatever the sandbox clock says.

alter table persons
    alter column email drop not null,            -- null: they sign in by telephone
    alter column password_hash drop not null,    -- null: they sign in by codes and links alone
    add column email_verified_at timestamptz,    -- null: nobody has shown that mail there reaches them
    add column phone text unique check (phone ~ '^\+[1-9][0-9]{6,14}$'), -- proven always: it comes by a code
    add column phone_verified_at timestamptz,
    add constraint persons_have_an_address check (email is not null or phone is not null);

-- Codes and links that are good: of an address one for each purpose. Also of addresses that nobody has: so
-- the same is done for them.
create table codes (
    address text not null,                       -- an address of mail in small letters, or a number in E.164
    purpose text not null check (purpose in ('sign_in', 'sign_up', 'link', 'reset', 'prove')),
    hash bytea not null,                         -- HMAC-SHA-256 of six digits, SHA-256 of a link's token
    tries smallint not null default 0,           -- wrong ones so far
    person_id uuid references persons,           -- of prove: who says that the address is theirs
    sign_up jsonb,                               -- of sign_up: company, name and what is kept of the password
    ends_at timestamptz not null,
    primary key (address, purpose)
);
create index codes_by_end on codes (ends_at);
create index codes_by_link on codes (hash) where purpose = 'link';

-- How often codes were asked for, in windows: of an address, from a place, in a country.
create table code_counts (
    kind text not null,                          -- store::people::limits::Counted
    key text not null,
    begun_at timestamptz not null,               -- when the window began
    asked integer not null,
    texted integer not null default 0,           -- how many of them became texts
    verified integer not null default 0,         -- how many of these came back
    primary key (kind, key, begun_at)
);
create index code_counts_by_begun on code_counts (begun_at);

-- Countries to which no codes are texted for a while: many were, and few came back.
create table held_prefixes (
    prefix text primary key,
    ends_at timestamptz not null
);
create index held_prefixes_by_end on held_prefixes (ends_at);

-- What is to be said to people who sign in: the outbox of mail and texts. The source that says it deletes it.
create table notices (
    notice_id uuid primary key,
    channel text not null check (channel in ('mail', 'text', 'none')), -- none: to nobody, as nobody has the address
    sealed text not null,                        -- {to, subject, body} under the master key
    tries smallint not null default 0,           -- how often a process has taken it
    due_at timestamptz not null,                 -- not before: a process that has it is given time
    ends_at timestamptz not null                 -- it is of no use afterwards
);
create index notices_by_due on notices (channel, due_at);

revoke all on codes, code_counts, held_prefixes from millrace_pipeline;
revoke insert on notices from millrace_pipeline;
revoke update, delete on notices from millrace_api;

-- Removes what is good no more, at most so many rows of each table; how many it was.
create function end_codes(machine timestamptz, at_most bigint) returns bigint
    language sql security definer set search_path = millrace, pg_temp
    as $$
        with old_codes as (
            delete from codes where ctid = any (array(
                select ctid from codes where ends_at <= machine
                order by ends_at limit at_most for update skip locked)) returning 1
        ), old_counts as (
            delete from code_counts where ctid = any (array(
                select ctid from code_counts where begun_at <= machine - interval '2 days'
                order by begun_at limit at_most for update skip locked)) returning 1
        ), old_holds as (
            delete from held_prefixes where ctid = any (array(
                select ctid from held_prefixes where ends_at <= machine
                order by ends_at limit at_most for update skip locked)) returning 1
        )
        select (select count(*) from old_codes) + (select count(*) from old_counts)
             + (select count(*) from old_holds)
    $$;
grant execute on function end_codes(timestamptz, bigint) to millrace_pipeline;
