-- Look-ups that cost the same however much waits, for however many tenants (docs/performance.md).

-- Whom a parked message is for. An opt-out finds by it what is parked for an address: an expression of
-- the payload is no use for that, because under row-level security an index takes only conditions
-- that are leakproof, and `->>` is not. Postgres fills it in, also for rows that are there and for
-- those that older processes add. The rows are written anew: some seconds for half a million.
drop index parked_by_number;
alter table parked
    add column address text generated always as (payload -> 'head' ->> 'to') stored; -- domain::address::Address
create index parked_by_address on parked (address, tenant_id);

-- Campaigns that are fed. A campaign's state changes a few times in its life, so the updates of its
-- cursor stay HOT.
create index campaigns_active on campaigns (tenant_id, campaign_id) where state in ('starting', 'running');

-- Totals that subscribers have not seen the latest version of: one row each while that is so. An
-- index of `total_heads` on its versions would make each of rollup's updates of it a cold one.
create table unpublished_heads (
    tenant_id text not null,
    scope text not null,
    scope_id uuid not null,
    since timestamptz not null default clock_timestamp(), -- machine time: the oldest go first
    primary key (tenant_id, scope, scope_id)
);
call protect('unpublished_heads');
call open_to_lookups('unpublished_heads');
create index unpublished_heads_by_since on unpublished_heads (since);
revoke all on unpublished_heads from millrace_api;

-- Whoever changes a head has its row locked until the end of its transaction, so that nobody else
-- changes its row here meanwhile.
create function note_unpublished()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    insert into unpublished_heads (tenant_id, scope, scope_id)
    select n.tenant_id, n.scope, n.scope_id from new_heads n where n.published < n.version
    order by 1, 2, 3
    on conflict do nothing;

    delete from unpublished_heads u using new_heads n
    where n.published >= n.version
      and u.tenant_id = n.tenant_id and u.scope = n.scope and u.scope_id = n.scope_id;
    return null;
end $$;
create trigger unpublished_when_new after insert on total_heads
    referencing new table as new_heads for each statement execute function note_unpublished();
create trigger unpublished_when_changed after update on total_heads
    referencing new table as new_heads for each statement execute function note_unpublished();

create policy refill on unpublished_heads to millrace_owner using (true) with check (true);
insert into unpublished_heads (tenant_id, scope, scope_id)
select h.tenant_id, h.scope, h.scope_id from total_heads h where h.published < h.version;
drop policy refill on unpublished_heads;

create or replace function unpublished_totals(at_most bigint)
    returns table (tenant_id text, scope text, scope_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select u.tenant_id, u.scope, u.scope_id from unpublished_heads u
        order by u.since limit at_most
    $$;

-- What waits, by queue: parked rows by their rank ('parked.0' to 'parked.2'), and doubts. Each
-- statement that changes a queue adds a row to `waiting_changes`, which nobody else waits for;
-- whoever looks for what is due folds them first, and deletes exactly those that it folds.
create table waiting_changes (
    tenant_id text not null,
    change_id bigint not null generated always as identity,
    queue text not null,
    next_due timestamptz,                        -- the earliest of what was added or changed
    rows bigint not null,                        -- how many more wait than before
    primary key (tenant_id, change_id)
);
call protect('waiting_changes');
create index waiting_changes_by_id on waiting_changes (change_id);
create policy fold on waiting_changes to millrace_owner using (true) with check (true);
revoke select, update, delete on waiting_changes from millrace_api, millrace_pipeline;

-- Where a tenant may have something due: no row of its queue that is folded is due before `next_due`.
create table waiting_heads (
    tenant_id text not null,
    queue text not null,
    next_due timestamptz not null,
    primary key (tenant_id, queue)
);
call protect('waiting_heads');
create index waiting_heads_by_due on waiting_heads (queue, next_due);
create policy fold on waiting_heads to millrace_owner using (true) with check (true);
revoke all on waiting_heads from millrace_api, millrace_pipeline;

-- How many rows wait, of all tenants. Nobody's rows.
create table waiting_totals (
    queue text primary key,
    rows bigint not null                         -- those that are folded
) with (fillfactor = 50);
revoke all on waiting_totals from millrace_api, millrace_pipeline;
insert into waiting_totals (queue, rows)
select queue, 0 from unnest(array['parked.0', 'parked.1', 'parked.2', 'doubts']) as k (queue);

create function note_parked()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        insert into waiting_changes (tenant_id, queue, next_due, rows)
        select n.tenant_id, 'parked.' || n.rank, min(n.due), count(*)
        from new_rows n group by n.tenant_id, n.rank;
    elsif tg_op = 'DELETE' then
        insert into waiting_changes (tenant_id, queue, rows)
        select o.tenant_id, 'parked.' || o.rank, -count(*)
        from old_rows o group by o.tenant_id, o.rank;
    else
        insert into waiting_changes (tenant_id, queue, next_due, rows)
        select c.tenant_id, 'parked.' || c.rank, min(c.due), sum(c.rows)
        from (
            select n.tenant_id, n.rank, n.due, 1 as rows from new_rows n
            union all
            select o.tenant_id, o.rank, null, -1 from old_rows o
        ) c
        group by c.tenant_id, c.rank having min(c.due) is not null or sum(c.rows) <> 0;
    end if;
    return null;
end $$;
create trigger note_new after insert on parked
    referencing new table as new_rows for each statement execute function note_parked();
create trigger note_changed after update on parked
    referencing old table as old_rows new table as new_rows
    for each statement execute function note_parked();
create trigger note_gone after delete on parked
    referencing old table as old_rows for each statement execute function note_parked();

-- A doubt that is settled stays until that has been said, and is not counted.
create function note_doubts()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        insert into waiting_changes (tenant_id, queue, next_due, rows)
        select n.tenant_id, 'doubts', min(n.next_look), count(*) filter (where n.settled_version is null)
        from new_rows n group by n.tenant_id;
    elsif tg_op = 'DELETE' then
        insert into waiting_changes (tenant_id, queue, rows)
        select o.tenant_id, 'doubts', -count(*)
        from old_rows o where o.settled_version is null group by o.tenant_id;
    else
        insert into waiting_changes (tenant_id, queue, next_due, rows)
        select c.tenant_id, 'doubts', min(c.next_look), coalesce(sum(c.rows) filter (where c.open), 0)
        from (
            select n.tenant_id, n.next_look, 1 as rows, n.settled_version is null as open
            from new_rows n
            union all
            select o.tenant_id, null, -1, o.settled_version is null from old_rows o
        ) c
        group by c.tenant_id;
    end if;
    return null;
end $$;
create trigger note_new after insert on doubts
    referencing new table as new_rows for each statement execute function note_doubts();
create trigger note_changed after update on doubts
    referencing old table as old_rows new table as new_rows
    for each statement execute function note_doubts();
create trigger note_gone after delete on doubts
    referencing old table as old_rows for each statement execute function note_doubts();

-- What is there already. The triggers keep others from changing it until this is committed.
insert into waiting_changes (tenant_id, queue, next_due, rows)
select p.tenant_id, 'parked.' || p.rank, min(p.due), count(*) from parked p group by p.tenant_id, p.rank;
insert into waiting_changes (tenant_id, queue, next_due, rows)
select d.tenant_id, 'doubts', min(d.next_look), count(*) filter (where d.settled_version is null)
from doubts d group by d.tenant_id;

-- Folds changes, the oldest first. Its caller has the lock of the queues.
create function fold_waiting()
    returns void
    language sql volatile set search_path = millrace, pg_temp
    as $$
        with folded as (
            delete from waiting_changes c
            where (c.tenant_id, c.change_id) in (
                select o.tenant_id, o.change_id from waiting_changes o order by o.change_id limit 4096
            )
            returning c.tenant_id, c.queue, c.next_due, c.rows
        ), heads as (
            insert into waiting_heads as h (tenant_id, queue, next_due)
            select f.tenant_id, f.queue, min(f.next_due) from folded f
            where f.next_due is not null group by f.tenant_id, f.queue
            on conflict (tenant_id, queue) do update set next_due = excluded.next_due
            where h.next_due > excluded.next_due
        )
        update waiting_totals t set rows = t.rows + f.rows
        from (select d.queue, sum(d.rows) as rows from folded d group by d.queue) f
        where t.queue = f.queue and f.rows <> 0
    $$;

-- Whether nobody else folds changes and moves heads until this transaction ends. What a statement
-- begun after this sees in a queue is all that the changes which it does not see are not about.
create function lock_waiting()
    returns boolean
    language sql volatile set search_path = millrace, pg_temp
    as $$ select pg_try_advisory_xact_lock(hashtextextended('millrace.waiting', 0)) $$;

-- The tenants and ranks in which parked rows may be due, each with its causes and the first of each
-- cause; none where nothing is left. The causes are found from one to the next: as many steps as
-- there are causes. Paced rows of the tenants in `waiting` are left for later.
create function parked_causes(as_of timestamptz, at_most bigint, waiting text[])
    returns table (tenant_id text, rank smallint, cause text, due timestamptz)
    language sql stable set search_path = millrace, pg_temp
    as $$
        with recursive ready as (
            select h.tenant_id, r.rank::smallint from generate_series(0, 2) as r (rank)
            cross join lateral (
                select w.tenant_id from waiting_heads w
                where w.queue = 'parked.' || r.rank and w.next_due <= as_of
                  and (r.rank <> 2 or array_position(waiting, w.tenant_id) is null)
                order by w.next_due limit at_most
            ) h
        ), causes as (
            select t.tenant_id, t.rank, c.cause, c.due from ready t
            left join lateral (
                select p.cause, p.due from parked p
                where p.tenant_id = t.tenant_id and p.rank = t.rank and p.due is not null
                order by p.cause, p.due limit 1
            ) c on true
            union all
            select s.tenant_id, s.rank, c.cause, c.due from causes s
            cross join lateral (
                select p.cause, p.due from parked p
                where p.tenant_id = s.tenant_id and p.rank = s.rank and p.due is not null
                  and p.cause > s.cause
                order by p.cause, p.due limit 1
            ) c
        )
        select c.tenant_id, c.rank, c.cause, c.due from causes c
    $$;

-- Due rows, at most `per_tenant` of each tenant and rank, as of 0027: what somebody waits for first,
-- then each tenant's first, each one's second and so on; within a tenant likewise by cause. Of more
-- than `at_most` tenants those go first who have waited longest.
create or replace function due_parked(as_of timestamptz, per_tenant bigint, at_most bigint, waiting text[])
    returns table (tenant_id text, message_id uuid, turn integer, rank smallint)
    language plpgsql volatile security definer set search_path = millrace, pg_temp
    as $$
#variable_conflict use_column
begin
    if lock_waiting() then
        perform fold_waiting();

        with first as (
            select c.tenant_id, 'parked.' || c.rank as queue, min(c.due) as due
            from parked_causes(as_of, at_most, waiting) c group by 1, 2
        ), gone as (
            delete from waiting_heads h using first f
            where h.tenant_id = f.tenant_id and h.queue = f.queue and f.due is null
        )
        update waiting_heads h set next_due = f.due from first f
        where h.tenant_id = f.tenant_id and h.queue = f.queue and h.next_due <> f.due;
    end if;

    return query
        with found as (
            select c.tenant_id, c.rank, p.message_id, p.turn, p.due,
                   row_number() over (partition by c.tenant_id, c.rank, c.cause order by p.due) as nth
            from parked_causes(as_of, at_most, waiting) c
            cross join lateral (
                select d.message_id, d.turn, d.due from parked d
                where d.tenant_id = c.tenant_id and d.rank = c.rank and d.cause = c.cause
                  and d.due <= as_of
                order by d.due limit per_tenant
            ) p
        ), turns as (
            select f.*, row_number() over (partition by f.tenant_id, f.rank order by f.nth, f.due) as turn_of_tenant
            from found f
        )
        select t.tenant_id, t.message_id, t.turn, t.rank from turns t
        where t.turn_of_tenant <= per_tenant
        order by t.rank = 0 desc, t.turn_of_tenant, t.due limit at_most;
end $$;

-- The folded rows of a queue, and those that are not folded yet.
create function waiting_count(of_queues text[])
    returns bigint
    language sql stable set search_path = millrace, pg_temp
    as $$
        select ((select coalesce(sum(t.rows), 0) from waiting_totals t where t.queue = any (of_queues))
            + (select coalesce(sum(c.rows), 0) from waiting_changes c where c.queue = any (of_queues)))::bigint
    $$;

create or replace function parked_count()
    returns table (due bigint, held bigint)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select waiting_count(array['parked.0', 'parked.2']), waiting_count(array['parked.1']) $$;

create or replace function doubts_count()
    returns bigint
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select waiting_count(array['doubts']) $$;

-- By tenant, so that one tenant's doubts hide no other's. Partial, though it holds every row: so no
-- look-up by the key takes it (docs/adr/0005).
drop index doubts_by_next_look;
create index doubts_by_next_look on doubts (tenant_id, next_look) where looks >= 0;

-- Doubts that are due for a look, oldest first, at most `per_tenant` of each tenant. Of more than
-- `at_most` tenants those go first who have waited longest.
create or replace function due_doubts(per_tenant bigint, at_most bigint)
    returns table (tenant_id text, message_id uuid)
    language plpgsql volatile security definer set search_path = millrace, pg_temp
    as $$
#variable_conflict use_column
declare
    machine timestamptz := clock_timestamp();
begin
    if lock_waiting() then
        perform fold_waiting();

        with first as (
            select h.tenant_id, d.next_look from (
                select w.tenant_id from waiting_heads w
                where w.queue = 'doubts' and w.next_due <= machine
                order by w.next_due limit at_most
            ) h
            left join lateral (
                select r.next_look from doubts r
                where r.tenant_id = h.tenant_id and r.looks >= 0 order by r.next_look limit 1
            ) d on true
        ), gone as (
            delete from waiting_heads h using first f
            where h.tenant_id = f.tenant_id and h.queue = 'doubts' and f.next_look is null
        )
        update waiting_heads h set next_due = f.next_look from first f
        where h.tenant_id = f.tenant_id and h.queue = 'doubts' and h.next_due <> f.next_look;
    end if;

    return query
        select d.tenant_id, d.message_id from (
            select w.tenant_id from waiting_heads w
            where w.queue = 'doubts' and w.next_due <= machine
            order by w.next_due limit at_most
        ) h
        cross join lateral (
            select r.tenant_id, r.message_id, r.next_look from doubts r
            where r.tenant_id = h.tenant_id and r.looks >= 0 and r.next_look <= machine
            order by r.next_look limit per_tenant
        ) d
        order by d.next_look limit at_most;
end $$;

-- What `audience` does not look at again, in whole chunks of 1,000 recipients (docs/adr/0007). A redrive
-- takes a chunk out of both and raises `reopened`, so that a look from before it changes neither.
alter table campaigns
    add column ended int8multirange not null default '{}',       -- every message is final
    add column handed_over int8multirange not null default '{}', -- the others are at the carrier: receipts may come
    add column reopened bigint not null default 0;
