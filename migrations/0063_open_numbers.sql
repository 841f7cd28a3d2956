-- Orders and releases of numbers that nobody has settled are looked up at their carrier by the pipeline; and the gates see
-- which accounts' carriers do not answer.

alter table numbers
    add column looks smallint not null default 0, -- at the account's list since the carrier was asked
    add column next_look timestamptz;             -- machine time; null: a while after the carrier was asked
comment on column numbers.asked_at is 'machine time at which the carrier was last asked to give it or to take it back';

create index numbers_open on numbers (tenant_id, account) where state in ('ordered', 'in_doubt', 'releasing');
call open_to_lookups('numbers');
grant select, update, delete on numbers to millrace_pipeline;

-- The accounts with such numbers that are due: those that have waited longest first.
create function accounts_with_open_numbers(machine timestamptz, patience interval, at_most bigint)
    returns table (tenant_id text, account text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select o.tenant_id, o.account
        from tenants t
        cross join lateral (
            select n.tenant_id, n.account, min(coalesce(n.next_look, n.asked_at + patience)) as due
            from numbers n
            where n.tenant_id = t.tenant_id and n.state in ('ordered', 'in_doubt', 'releasing')
              and coalesce(n.next_look, n.asked_at + patience) <= machine
            group by n.tenant_id, n.account
        ) o
        order by o.due limit at_most
    $$;
grant execute on function accounts_with_open_numbers(timestamptz, interval, bigint) to millrace_pipeline;

-- An account that rests because its carrier does not answer: others carry meanwhile what they may.
alter table account_pace
    add column away_until timestamptz;           -- database time; null: it has always answered

-- Whether an account's carrier does not answer, for whoever may not see how fast accounts go.
create function account_is_away(handle text)
    returns boolean
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$ select exists (select from account_pace p where p.account = handle and p.away_until > clock_timestamp()) $$;
grant execute on function account_is_away(text) to millrace_api, millrace_pipeline;

-- What each sender has carried, by the day in UTC; rollup adds what it folds.
create table sender_days (
    tenant_id text not null,
    sender_id uuid not null,
    day_start timestamptz not null,
    segments bigint not null,
    cost_micros bigint not null,
    primary key (tenant_id, sender_id, day_start)
);
call protect('sender_days');
revoke insert, update, delete on sender_days from millrace_api;
