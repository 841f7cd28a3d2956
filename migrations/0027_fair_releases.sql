-- Releases take turns: among tenants, and among the causes of each.

drop index parked_by_due;
create index parked_by_due on parked (tenant_id, rank, cause, due) where due is not null;

-- Due rows, at most `per_tenant` of each tenant and rank: what somebody waits for first, then each
-- tenant's first, each one's second and so on; within a tenant likewise by cause, the oldest of
-- each first. So a backlog is behind nothing but itself. Paced rows of the tenants in `waiting` are
-- left for later.
create or replace function due_parked(as_of timestamptz, per_tenant bigint, at_most bigint, waiting text[])
    returns table (tenant_id text, message_id uuid, turn integer, rank smallint)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        -- The causes of each tenant, found from one to the next: as many steps as there are causes.
        with recursive causes as (
            select t.tenant_id, c.rank, c.cause from tenants t
            cross join lateral (
                select p.rank, p.cause from parked p
                where p.tenant_id = t.tenant_id and p.due is not null
                order by p.rank, p.cause limit 1
            ) c
            union all
            select s.tenant_id, c.rank, c.cause from causes s
            cross join lateral (
                select p.rank, p.cause from parked p
                where p.tenant_id = s.tenant_id and p.due is not null
                  and (p.rank, p.cause) > (s.rank, s.cause)
                order by p.rank, p.cause limit 1
            ) c
        ), found as (
            select c.tenant_id, c.rank, p.message_id, p.turn, p.due,
                   row_number() over (partition by c.tenant_id, c.rank, c.cause order by p.due) as nth
            from causes c
            cross join lateral (
                select d.message_id, d.turn, d.due from parked d
                where d.tenant_id = c.tenant_id and d.rank = c.rank and d.cause = c.cause
                  and d.due <= as_of
                order by d.due limit per_tenant
            ) p
            where c.rank <> 2 or array_position(waiting, c.tenant_id) is null
        ), turns as (
            select f.*, row_number() over (partition by f.tenant_id, f.rank order by f.nth, f.due) as turn_of_tenant
            from found f
        )
        select t.tenant_id, t.message_id, t.turn, t.rank from turns t
        where t.turn_of_tenant <= per_tenant
        order by t.rank = 0 desc, t.turn_of_tenant, t.due limit at_most
    $$;

-- Whose messages wait for a cause.
create function tenants_with_parked(awaited text)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select t.tenant_id from tenants t
        where exists (select from parked p where p.tenant_id = t.tenant_id and p.cause_key = awaited)
    $$;
grant execute on function tenants_with_parked(text) to millrace_pipeline;
