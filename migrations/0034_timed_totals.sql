-- Totals by time: what came in a minute, for seven days; in an hour, for ninety; in a day, for good. rollup counts by the
-- minute, and `schedule` makes hours of old minutes and days of old hours (docs/adr/0017).

create table timed_totals (
    tenant_id text not null,
    scope text not null,                         -- wire::subject::Scope
    scope_id uuid not null,                      -- nil for the dashboard
    grain text not null,                         -- minute, hour, day (UTC)
    starts_at timestamptz not null,              -- business time
    counts jsonb not null,                       -- by the names of totals: how many came into a state, and what was added
    primary key (tenant_id, scope, scope_id, grain, starts_at)
) with (fillfactor = 50);
create index timed_totals_by_age on timed_totals (grain, starts_at) where grain <> 'day';
call protect('timed_totals');
call open_to_lookups('timed_totals');

-- The sum of two sets of counts.
create function add_counts(one jsonb, other jsonb)
    returns jsonb
    language sql immutable parallel safe
    as $$
        select coalesce(jsonb_object_agg(s.name, s.value), '{}')
        from (
            select c.key as name, sum(c.value::bigint) as value
            from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) c
            group by c.key
        ) s
    $$;
grant execute on function add_counts(jsonb, jsonb) to millrace_pipeline;

-- Totals of a grain that begin before an instant, the oldest first.
create function aged_totals(of_grain text, before timestamptz, at_most bigint)
    returns table (tenant_id text, scope text, scope_id uuid, starts_at timestamptz)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select t.tenant_id, t.scope, t.scope_id, t.starts_at from timed_totals t
        where t.grain = of_grain and t.grain <> 'day' and t.starts_at < before
        order by t.starts_at limit at_most
    $$;
grant execute on function aged_totals(text, timestamptz, bigint) to millrace_pipeline;
