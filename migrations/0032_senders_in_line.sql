-- How many senders of each tenant have texts in line at an account that limits them: by the urgent lane, and by any. They
-- share what the tenant has of the account. The keys are put together first: an index of a table under row-level security
-- takes no value that a condition puts together from other rows.
create function senders_in_line(tenants text[], accounts text[])
    returns table (tenant_id text, account text, urgent bigint, either bigint)
    language sql stable
    as $$
        with limited as (
            select distinct g.tenant_id, g.account from unnest(tenants, accounts) as g (tenant_id, account)
            where exists (select from millrace.platform_accounts p where p.account = g.account and p.pace is not null)
               or exists (select from millrace.account_pace a
                          where a.account = g.account and millrace.seen_now(a.seen_rate, a.seen_at) is not null)
        ), keys as materialized (
            select s.tenant_id, s.account, 'admitted_urgent:' || s.sender_id as urgent,
                   'admitted_bulk:' || s.sender_id as bulk
            from limited g
            join millrace.senders s on s.tenant_id = g.tenant_id and s.account = g.account
        )
        select k.tenant_id, k.account, count(*) filter (where l.urgent), count(*) filter (where l.urgent or l.bulk)
        from keys k
        cross join lateral (
            select exists (select from millrace.lines i where i.tenant_id = k.tenant_id and i.key = k.urgent) as urgent,
                   exists (select from millrace.lines i where i.tenant_id = k.tenant_id and i.key = k.bulk) as bulk
        ) l
        group by k.tenant_id, k.account
    $$;
grant execute on function senders_in_line(text[], text[]) to millrace_pipeline;
