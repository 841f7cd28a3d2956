-- What the pipe holds of each sender, and what waits for its pace in a row.

-- What was admitted to a sender is counted in `counters`; what has been claimed of it, here. Each is
-- moved under its own row's lock, so that gates and claims do not wait for each other. Segments.
alter table pace
    add column claimed_urgent bigint not null default 0,
    add column claimed_bulk bigint not null default 0;

-- Rows leave a line in the order in which they came into it.
drop index parked_by_cause;
create index parked_by_cause on parked (tenant_id, cause_key, parked_at, message_id) where cause_key is not null;

-- The lines for a sender's pace, of all tenants, in key order behind one of them: schedule looks
-- through them in turn.
create function pace_lines(after_tenant text, after_key text, at_most bigint)
    returns table (tenant_id text, key text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select l.tenant_id, l.key from lines l
        where (l.tenant_id, l.key) > (after_tenant, after_key)
          and (l.key like 'admitted_urgent:%' or l.key like 'admitted_bulk:%')
        order by l.tenant_id, l.key limit at_most
    $$;
grant execute on function pace_lines(text, text, bigint) to millrace_pipeline;

-- Whose turn it is on an account with a pace of its own: each tenant that has lately sent through it
-- gets the part that its weight says. Nobody's rows, as those of account_pace. Database time.
create table account_turns (
    account text not null,
    tenant_id text not null,
    weight integer not null,
    next_free timestamptz not null,              -- where its texts so far end, at its part of the pace
    primary key (account, tenant_id)
) with (fillfactor = 50);
revoke all on account_turns from millrace_api;

-- An account that is slower than its senders: how many calls a second it was last seen to take.
alter table account_pace
    add column seen_rate double precision,       -- null: as fast as it is called
    add column seen_at timestamptz;
call open_to_lookups('lines');

-- What an account that is slow takes by now: what was seen is forgotten by a tenth each second, so that
-- one that recovers is found out. Null once it is more than anybody sends.
create function seen_now(rate double precision, at timestamptz)
    returns double precision
    language sql volatile
    as $$
        select case when r.grown < 100000 then r.grown end
        from (select rate * power(1.1, least(extract(epoch from clock_timestamp() - at)::float8, 200))) as r (grown)
    $$;
grant execute on function seen_now(double precision, timestamptz) to millrace_pipeline;

-- How many segments a second of a tenant an account takes: its part of the account's pace, among
-- the tenants whose turn it was in the last half second, and no more than the account was seen to take.
-- Null: no limit but the senders'.
create function account_rate(handle text, tenant text, own_weight integer)
    returns double precision
    language sql volatile
    as $$
        select least(
            p.pace * own_weight::float8 / (own_weight + others.weight),
            millrace.seen_now(a.seen_rate, a.seen_at))
        from (select 1) as one
        left join millrace.platform_accounts p on p.account = handle
        left join millrace.account_pace a on a.account = handle
        cross join lateral (
            select coalesce(sum(t.weight), 0)::float8 as weight from millrace.account_turns t
            where t.account = handle and t.tenant_id <> tenant
              and t.next_free > clock_timestamp() - interval '500 milliseconds'
        ) others
    $$;
grant execute on function account_rate(text, text, integer) to millrace_pipeline;
