-- Doubts are found by the heads of their queue again (due_doubts of 0031), and those whose last date has passed by
-- that date. open_doubts of 0030, which looks at every doubt, stays for versions before this one.

-- Doubts that were raised at `over_before` or earlier, though their next look would come later than a lease lasts:
-- the oldest first.
create function late_doubts(at_most bigint, over_before timestamptz, lease double precision)
    returns table (tenant_id text, message_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select d.tenant_id, d.message_id from doubts d
        where d.raised_at <= over_before
          and d.next_look > (select clock_timestamp() + make_interval(secs => lease))
        order by d.raised_at limit at_most
    $$;
grant execute on function late_doubts(bigint, timestamptz, double precision) to millrace_pipeline;
