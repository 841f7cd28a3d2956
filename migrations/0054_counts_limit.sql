-- Counts that rollup does not fold have a limit (docs/operating.md, Counts): beyond it no message is stored until some
-- are folded. What is stored already goes on.

-- Until when no message is stored; no row while there is room. Whoever counts says so again in time, so that nothing
-- stops for good when nobody counts any more. Nobody's row.
create table full_counts (
    is_one boolean primary key default true check (is_one),
    until timestamptz not null                   -- database time
);
revoke insert, update, delete on full_counts from millrace_api, millrace_pipeline;

-- Counts the groups that wait for rollup, up to a limit, and stops new messages for so many seconds where it is reached.
create function limit_counts(most bigint, seconds double precision)
    returns bigint
    language plpgsql volatile security definer set search_path = millrace, pg_temp
    as $$
declare
    waiting bigint;
begin
    select count(*) into waiting from (select from moved_counts limit most) m;
    if waiting >= most then
        insert into full_counts as f (until) values (clock_timestamp() + make_interval(secs => seconds))
        on conflict (is_one) do update set until = greatest(f.until, excluded.until);
    else
        delete from full_counts;
    end if;
    return waiting;
end $$;
grant execute on function limit_counts(bigint, double precision) to millrace_pipeline;

-- Class 53 is an outage for whoever inserts: the message waits where it is, and is tried again.
create function keep_counts_limit()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    if exists (select from full_counts f where f.until > clock_timestamp()) then
        raise exception 'too many counts are not folded yet: no message is stored before some are'
            using errcode = 'configuration_limit_exceeded';
    end if;
    return null;
end $$;
create trigger keep_counts_limit before insert on messages
    for each statement execute function keep_counts_limit();
