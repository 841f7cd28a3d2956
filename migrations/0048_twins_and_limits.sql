-- Test keys work in a twin of their tenant; members and keys may be limited to brands and inboxes; keys that have ended leave.

-- A twin is a tenant of its own: everything of it is kept apart by the walls that keep tenants apart. Nobody else
-- has an id of its form (domain::ids::TenantId::twin). Rows from before are not held to that.
alter table tenants
    add column twin_of text,                     -- whose twin it is; null: it is nobody's
    add constraint tenants_twin_check
        check ((twin_of is not null) = (tenant_id ~ '^test-[a-z0-9-]{1,10}-[0-9a-f]{16}$')) not valid;
create unique index tenants_by_twin on tenants (twin_of) where twin_of is not null;

-- A twin's accounts are at the sandbox, which the api checks; an account that the platform lends is none of them.
alter table account_shares
    add constraint account_shares_twin_check check (tenant_id !~ '^test-[a-z0-9-]{1,10}-[0-9a-f]{16}$') not valid;
-- Nobody works for a twin, so nobody is invited to one.
alter table members
    add constraint members_twin_check check (tenant_id !~ '^test-[a-z0-9-]{1,10}-[0-9a-f]{16}$') not valid;
alter table invitations
    add constraint invitations_twin_check check (tenant_id !~ '^test-[a-z0-9-]{1,10}-[0-9a-f]{16}$') not valid;

-- What a member, somebody who is invited, or a key is limited to. Both null: they see everything of the tenant.
alter table members
    add column brands uuid[] check (cardinality(brands) <= 100),
    add column inboxes uuid[] check (cardinality(inboxes) <= 100);
alter table invitations
    add column brands uuid[] check (cardinality(brands) <= 100),
    add column inboxes uuid[] check (cardinality(inboxes) <= 100);
alter table api_keys
    add column is_test boolean not null default false, -- it signs in as the tenant's twin
    add column brands uuid[] check (cardinality(brands) <= 100),
    add column inboxes uuid[] check (cardinality(inboxes) <= 100);

call open_to_lookups('inboxes');

-- The brands that somebody sees who is limited to these brands and inboxes: an inbox brings its brand. Null: all.
create function brands_of_limits(tenant text, brands uuid[], inboxes uuid[])
    returns uuid[]
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select case when brands is null and inboxes is null then null else array(
            select unnest(brands)
            union
            select i.brand_id from inboxes i where i.tenant_id = tenant and i.inbox_id = any (inboxes)
        ) end
    $$;

-- The inboxes that they see: those, and all of these brands. Null: all.
create function inboxes_of_limits(tenant text, brands uuid[], inboxes uuid[])
    returns uuid[]
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select case when brands is null and inboxes is null then null else array(
            select i.inbox_id from inboxes i
            where i.tenant_id = tenant and (i.inbox_id = any (inboxes) or i.brand_id = any (brands))
        ) end
    $$;

-- Whose key this is, and as which tenant it signs in.
create function find_key_owner(key_hash bytea)
    returns table (tenant_id text, key_id uuid, role text, scopes text[], expires_at timestamptz,
                   last_used_at timestamptz, is_test boolean, works_in text, brands uuid[], inboxes uuid[])
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select k.tenant_id, k.key_id, k.role, k.scopes, k.expires_at, k.last_used_at, k.is_test,
               case when k.is_test then t.tenant_id else k.tenant_id end,
               brands_of_limits(k.tenant_id, k.brands, k.inboxes),
               inboxes_of_limits(k.tenant_id, k.brands, k.inboxes)
        from api_keys k left join tenants t on k.is_test and t.twin_of = k.tenant_id
        where k.hash = key_hash and k.revoked_at is null
    $$;
grant execute on function find_key_owner(bytea) to millrace_api;

-- Processes from before ask these, and know neither twins nor limits: who has one signs in nowhere there.
create or replace function find_key(key_hash bytea)
    returns table (tenant_id text, key_id uuid, role text, scopes text[], expires_at timestamptz, last_used_at timestamptz)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select k.tenant_id, k.key_id, k.role, k.scopes, k.expires_at, k.last_used_at
        from api_keys k
        where k.hash = key_hash and k.revoked_at is null and not k.is_test and k.brands is null and k.inboxes is null
    $$;
create or replace function find_api_key(key_hash bytea)
    returns table (tenant_id text, key_id uuid, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select f.tenant_id, f.key_id, f.role from find_key(key_hash) f where f.scopes is null and f.expires_at is null
    $$;
create or replace function session_member(session uuid, tenant text, machine timestamptz)
    returns table (person_id uuid, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select s.person_id, m.role from sessions s
        join members m on m.tenant_id = tenant and m.person_id = s.person_id
        where s.session_id = session and s.ended_at is null and s.ends_at > machine
          and m.brands is null and m.inboxes is null
    $$;

-- Whom a session is of, what they may do for a company, and how much of it they see.
create function member_of_session(session uuid, tenant text, machine timestamptz)
    returns table (person_id uuid, role text, brands uuid[], inboxes uuid[])
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select s.person_id, m.role, brands_of_limits(tenant, m.brands, m.inboxes),
               inboxes_of_limits(tenant, m.brands, m.inboxes)
        from sessions s
        join members m on m.tenant_id = tenant and m.person_id = s.person_id
        where s.session_id = session and s.ended_at is null and s.ends_at > machine
    $$;
grant execute on function member_of_session(uuid, text, timestamptz) to millrace_api;

-- How much of its tenant a transaction of the api sees: null, or not set: everything.
create function brands_in_scope() returns uuid[]
    language sql stable parallel safe
    as $$ select nullif(current_setting('millrace.brands', true), '')::uuid[] $$;
create function inboxes_in_scope() returns uuid[]
    language sql stable parallel safe
    as $$ select nullif(current_setting('millrace.inboxes', true), '')::uuid[] $$;
grant execute on function brands_in_scope(), inboxes_in_scope() to millrace_api;

-- The walls inside a tenant, beside that between tenants. They bind the api alone: stages work for all of a tenant.
-- The scope is an init plan, so where nobody is limited nothing else of a condition is looked at.
create policy brand on brands as restrictive to millrace_api
    using ((select brands_in_scope()) is null or brand_id = any ((select brands_in_scope())::uuid[]));
create policy brand on inboxes as restrictive to millrace_api
    using ((select brands_in_scope()) is null or inbox_id = any ((select inboxes_in_scope())::uuid[]));
create policy brand on senders as restrictive to millrace_api
    using ((select brands_in_scope()) is null or brand_id = any ((select brands_in_scope())::uuid[]));
-- A pool is of those who see every sender in it, a campaign of those who see its pool.
create policy brand on pools as restrictive to millrace_api
    using ((select brands_in_scope()) is null or not exists (
        select from unnest(pools.senders) as of_pool (sender_id)
        where not exists (select from senders s
                          where s.tenant_id = pools.tenant_id and s.sender_id = of_pool.sender_id)));
create policy brand on campaigns as restrictive to millrace_api
    using ((select brands_in_scope()) is null or exists (
        select from pools p where p.tenant_id = campaigns.tenant_id and p.pool_id = campaigns.pool_id));
create policy brand on campaign_recipients as restrictive to millrace_api
    using ((select brands_in_scope()) is null or exists (
        select from campaigns c
        where c.tenant_id = campaign_recipients.tenant_id and c.campaign_id = campaign_recipients.campaign_id));
-- A message is of those who see its sender, or its campaign.
create policy brand on messages as restrictive to millrace_api
    using ((select brands_in_scope()) is null
        or exists (select from senders s where s.tenant_id = messages.tenant_id and s.sender_id = messages.sender_id)
        or exists (select from campaigns c
                   where c.tenant_id = messages.tenant_id and c.campaign_id = messages.campaign_id));

-- Keys that have ended, by when: they are kept for a while. Also those of each tenant, which has only so many.
create index api_keys_ended on api_keys (least(revoked_at, expires_at)) where least(revoked_at, expires_at) is not null;
create function tenants_with_ended_keys(until timestamptz, at_most bigint)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select distinct o.tenant_id from (
            select k.tenant_id from api_keys k
            where least(k.revoked_at, k.expires_at) is not null and least(k.revoked_at, k.expires_at) <= until
            order by least(k.revoked_at, k.expires_at) limit at_most) o
    $$;
grant execute on function tenants_with_ended_keys(timestamptz, bigint) to millrace_pipeline;
