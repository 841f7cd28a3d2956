-- How well senders do (docs/adr/0025): what became of their texts, by the minute, and where each is between full traffic
-- and none.

alter table senders
    add column health text not null default 'healthy' check (health in ('healthy', 'quarantined', 'probing')),
    add column health_cause text,                -- domain::health::HealthCause; null while it is healthy
    add column health_since timestamptz,         -- business time since which it is so; null: since it was set up
    add column rests_until timestamptz,          -- business time at which a quarantine ends in a probe; null: none does
    add column quarantines integer not null default 0, -- in a row, since it was healthy last
    add column health_version bigint not null default 0, -- how often it has changed: names the events
    -- What messages wait for while its account does not work (`parked.cause_key`): a value that a statement puts together
    -- is no index condition under row-level security.
    add column account_cause text generated always as ('account:' || account) stored;
create index senders_not_healthy on senders (health) where health <> 'healthy';

-- What became of a sender's texts in a minute, as carriers told, counted by rollup as it folds `moved_counts`.
create table sender_outcomes (
    tenant_id text not null,
    sender_id uuid not null,
    minute_start timestamptz not null,           -- business time
    code text not null,                          -- the carrier's, of texts that failed; empty: of those delivered
    messages bigint not null,
    primary key (tenant_id, sender_id, minute_start, code)
) with (fillfactor = 50);
create index sender_outcomes_by_minute on sender_outcomes (minute_start);
call protect('sender_outcomes');
call open_to_lookups('sender_outcomes');
revoke insert, update, delete on sender_outcomes from millrace_api;

-- Senders of which something was told since an instant, and those that are not healthy, behind one of them.
create function senders_to_judge(since timestamptz, after_tenant text, after_sender uuid, at_most bigint)
    returns table (tenant_id text, sender_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select f.tenant_id, f.sender_id from (
            select o.tenant_id, o.sender_id from sender_outcomes o where o.minute_start >= since
            union
            select s.tenant_id, s.sender_id from senders s where s.health <> 'healthy' and s.removed_at is null
        ) f
        where (f.tenant_id, f.sender_id) > (after_tenant, after_sender)
        order by f.tenant_id, f.sender_id limit at_most
    $$;
grant execute on function senders_to_judge(timestamptz, text, uuid, bigint) to millrace_pipeline;

-- Whose the oldest outcomes are, among those that are not younger than an instant.
create function tenants_with_old_outcomes(until timestamptz, at_most bigint)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select distinct o.tenant_id from (
            select t.tenant_id from sender_outcomes t where t.minute_start <= until
            order by t.minute_start limit at_most
        ) o
    $$;
grant execute on function tenants_with_old_outcomes(timestamptz, bigint) to millrace_pipeline;
