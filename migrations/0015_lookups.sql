-- Look-ups before a tenant is known. Each is narrow, named, and runs as the owner, to whom the
-- tables read here are opened for select (0001, `open_to_lookups`).

create function find_api_key(key_hash bytea)
    returns table (tenant_id text, key_id uuid, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select k.tenant_id, k.key_id, k.role from api_keys k where k.hash = key_hash and k.revoked_at is null $$;

create function all_accounts()
    returns table (tenant_id text, account text, carrier text, carrier_sid text, sealed_token text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select a.tenant_id, a.account, a.carrier, a.carrier_sid, a.sealed_token from carrier_accounts a $$;

-- Due parked rows, oldest first, at most `per_tenant` of each tenant so that one backlog does not
-- hide another tenant's single message.
create function due_parked(as_of timestamptz, per_tenant bigint, at_most bigint)
    returns table (tenant_id text, message_id uuid, turn integer)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select p.tenant_id, p.message_id, p.turn
        from tenants t
        cross join lateral (
            select d.tenant_id, d.message_id, d.turn, d.due from parked d
            where d.tenant_id = t.tenant_id and d.due <= as_of
            order by d.due limit per_tenant
        ) p
        order by p.due limit at_most
    $$;

create function active_campaigns()
    returns table (tenant_id text, campaign_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select c.tenant_id, c.campaign_id from campaigns c where c.state in ('starting', 'running') $$;

-- Acts on campaigns whose event has no PubAck yet.
create function unpublished_transitions(at_most bigint)
    returns table (tenant_id text, campaign_id uuid, version bigint)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select t.tenant_id, t.campaign_id, t.version from campaign_transitions t
        where not t.published limit at_most
    $$;

create function unpublished_totals(at_most bigint)
    returns table (tenant_id text, scope text, scope_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select h.tenant_id, h.scope, h.scope_id from total_heads h
        where h.published < h.version limit at_most
    $$;

create function parked_count()
    returns table (due bigint, held bigint)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select count(*) filter (where p.due is not null), count(*) filter (where p.due is null) from parked p $$;

grant execute on function find_api_key(bytea) to millrace_api;
grant execute on function all_accounts() to millrace_api, millrace_pipeline;
grant execute on function due_parked(timestamptz, bigint, bigint) to millrace_pipeline;
grant execute on function active_campaigns() to millrace_pipeline;
grant execute on function unpublished_totals(bigint) to millrace_pipeline;
grant execute on function parked_count() to millrace_pipeline, millrace_api;
grant execute on function unpublished_transitions(bigint) to millrace_api;
