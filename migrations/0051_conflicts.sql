-- Second bodies under a key are listed, and go by themselves where no message takes them along. A repeat of a creation
-- is answered with the path of what was made, as the first was.

alter table idempotency_keys add column location text; -- `Location` of the answer; null: it had none

-- Newest first, of one tenant; and the oldest of all tenants.
create index message_conflicts_of_tenants_by_age on message_conflicts (tenant_id, at, message_id);
create index message_conflicts_by_age on message_conflicts (at);
call open_to_lookups('message_conflicts');

-- A conflict is of those who see the message that stands. Where none does, nobody knows whose brand it was.
create policy brand on message_conflicts as restrictive to millrace_api
    using ((select brands_in_scope()) is null or exists (
        select from messages m
        where m.tenant_id = message_conflicts.tenant_id and m.message_id = message_conflicts.message_id));

-- The tenants of the oldest conflicts without a message: items of a batch whose key another batch had.
create function tenants_with_lone_conflicts(until timestamptz, at_most bigint)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select distinct o.tenant_id from (
            select c.tenant_id from message_conflicts c
            left join lateral (
                select n.message_id from messages n
                where n.tenant_id = c.tenant_id and n.message_id = c.message_id limit 1) m on true
            where c.at <= until and m.message_id is null
            order by c.at limit at_most) o
    $$;
grant execute on function tenants_with_lone_conflicts(timestamptz, bigint) to millrace_pipeline;
