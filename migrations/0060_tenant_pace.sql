-- A company may have a pace of its own, which its senders share as they share its part of an account's.

alter table tenants
    add column pace integer check (pace between 1 and 100000); -- segments per second of all its senders; null: as fast as they are

-- The company's turn is its row of account_turns under '', the key of no account: where its texts so far end, at its own pace.

-- How many senders of each company with a pace have texts in line: by the urgent lane, and by any. The keys are put together
-- first, as in `senders_in_line`.
create function senders_in_line_of(tenants text[])
    returns table (tenant_id text, urgent bigint, either bigint)
    language sql stable
    as $$
        with keys as materialized (
            select s.tenant_id, 'admitted_urgent:' || s.sender_id as urgent, 'admitted_bulk:' || s.sender_id as bulk
            from (select distinct g.tenant_id from unnest(tenants) as g (tenant_id)) g
            join millrace.tenants n on n.tenant_id = g.tenant_id and n.pace is not null
            join millrace.senders s on s.tenant_id = g.tenant_id
        )
        select k.tenant_id, count(*) filter (where l.urgent), count(*) filter (where l.urgent or l.bulk)
        from keys k
        cross join lateral (
            select exists (select from millrace.lines i where i.tenant_id = k.tenant_id and i.key = k.urgent) as urgent,
                   exists (select from millrace.lines i where i.tenant_id = k.tenant_id and i.key = k.bulk) as bulk
        ) l
        group by k.tenant_id
    $$;
grant execute on function senders_in_line_of(text[]) to millrace_pipeline;
