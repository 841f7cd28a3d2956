-- Parked messages that are woken before their time, and the order in which due ones come back.

-- What is woken: written in the transaction that ends the cause, worked off by `schedule` in slices,
-- so that half a million rows hold up neither the caller nor the gates.
create table wakes (
    tenant_id text not null,
    what text not null,                          -- a cause key as in parked, 'campaign:<id>', or '*' for all of the tenant
    ending boolean not null,                     -- they come back to be ended, not to be sent: whatever the pace
    parked_before timestamptz,                   -- only rows parked before it; none: all of them
    next_seq bigint not null default 0,          -- of a campaign: recipients below it are done
    last_pass_at timestamptz not null,           -- machine time: once more then, for what was being parked meanwhile
    next_pass_at timestamptz not null,           -- machine time
    primary key (tenant_id, what)
);
call protect('wakes');
call open_to_lookups('wakes');

-- Which due rows go first. A held row may be due as well: when its message is of no use any more.
alter table parked
    add column rank smallint not null default 2; -- 0 somebody waits for it, 1 held, or back to be ended, 2 paced
update parked set rank = case when due is null then 1 when lane = 'urgent' then 0 else 2 end;

drop index parked_by_due;
drop index parked_by_cause;
create index parked_by_due on parked (tenant_id, rank, due) where due is not null;
create index parked_by_cause on parked (tenant_id, cause_key, message_id) where cause_key is not null;

-- Due rows: what somebody waits for first, then the oldest; at most `per_tenant` of each tenant and
-- rank, so that one backlog hides neither another tenant's single message nor its own urgent ones.
-- Paced rows of the tenants in `waiting` are left for later.
drop function due_parked(timestamptz, bigint, bigint);
create function due_parked(as_of timestamptz, per_tenant bigint, at_most bigint, waiting text[])
    returns table (tenant_id text, message_id uuid, turn integer, rank smallint)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select p.tenant_id, p.message_id, p.turn, p.rank
        from tenants t
        cross join lateral (
            (select d.tenant_id, d.message_id, d.turn, d.rank, d.due from parked d
             where d.tenant_id = t.tenant_id and d.rank = 0 and d.due <= as_of
             order by d.due limit per_tenant)
            union all
            (select d.tenant_id, d.message_id, d.turn, d.rank, d.due from parked d
             where d.tenant_id = t.tenant_id and d.rank = 1 and d.due <= as_of
             order by d.due limit per_tenant)
            union all
            (select d.tenant_id, d.message_id, d.turn, d.rank, d.due from parked d
             where d.tenant_id = t.tenant_id and d.rank = 2 and d.due <= as_of
               and array_position(waiting, t.tenant_id) is null
             order by d.due limit per_tenant)
        ) p
        order by p.rank = 0 desc, p.due limit at_most
    $$;
grant execute on function due_parked(timestamptz, bigint, bigint, text[]) to millrace_pipeline;

create function open_wakes(machine timestamptz, at_most bigint)
    returns table (tenant_id text, what text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select w.tenant_id, w.what from wakes w where w.next_pass_at <= machine
        order by w.next_pass_at limit at_most
    $$;
grant execute on function open_wakes(timestamptz, bigint) to millrace_pipeline;

drop function parked_count();
create function parked_count()
    returns table (due bigint, held bigint)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select count(*) filter (where p.rank <> 1), count(*) filter (where p.rank = 1) from parked p
    $$;
grant execute on function parked_count() to millrace_pipeline, millrace_api;
