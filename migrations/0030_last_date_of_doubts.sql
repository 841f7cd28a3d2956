-- A doubt ends at its last date. One whose next look would come later than a lease lasts is due as
-- soon as that date has passed; a sooner look, or one under way, settles or ends it by itself.
-- due_doubts of 0016 stays for versions before this one.

create index doubts_by_raised_at on doubts (raised_at);

-- Doubts that are due for a look, or raised at `over_before` or earlier: oldest look first, at most
-- `per_tenant` of each tenant.
create function open_doubts(
    per_tenant bigint, at_most bigint, over_before timestamptz, lease double precision)
    returns table (tenant_id text, message_id uuid)
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$
        select r.tenant_id, r.message_id
        from (
            select d.tenant_id, d.message_id, d.next_look,
                   row_number() over (partition by d.tenant_id order by d.next_look) as place
            from doubts d
            where d.next_look <= (select clock_timestamp())
               or d.raised_at <= over_before
                  and d.next_look > (select clock_timestamp() + make_interval(secs => lease))
        ) r
        where r.place <= per_tenant
        order by r.next_look limit at_most
    $$;

grant execute on function open_doubts(bigint, bigint, timestamptz, double precision)
    to millrace_pipeline;
