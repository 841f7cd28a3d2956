-- Cancels: marks of those that came before their message, and events that are still to be said.

-- A cancel that found no row. enrich takes the mark when it comes to store the message, and stores
-- it as cancelled. A message has a row or a mark, never both: see take_cancel_marks.
create table cancel_marks (
    tenant_id text not null,
    message_id uuid not null,
    at timestamptz not null,                     -- machine time; purged 30 days later, by the tenant's next mark
    primary key (tenant_id, message_id)
);
call protect('cancel_marks');

-- Takes the marks of these messages, for enrich in the transaction that stores them. The lock keeps
-- the marks of these tenants as they are until that transaction ends: who leaves a mark takes it
-- alone, and looks for the row under it. Volatile, so that what was marked while the lock was waited
-- for is seen.
create function take_cancel_marks(tenants text[], messages uuid[])
    returns table (tenant_id text, message_id uuid)
    language plpgsql volatile
    as $$
begin
    perform pg_advisory_xact_lock_shared(17, t.key)
        from (select distinct hashtext(u) as key from unnest(tenants) u order by 1) t;
    if exists (select from cancel_marks c where c.tenant_id = any (tenants)) then
        return query
            delete from cancel_marks c
            using unnest(tenants, messages) as k (tenant_id, message_id)
            where c.tenant_id = k.tenant_id and c.message_id = k.message_id
            returning c.tenant_id, c.message_id;
    end if;
end $$;
grant execute on function take_cancel_marks(text[], uuid[]) to millrace_pipeline;

-- What the api has to say to the broker: written in the transaction that makes it true, deleted
-- after the PubAck, published again as long as it is here.
create table unsaid_events (
    tenant_id text not null,
    event_id uuid not null,
    event text not null,                         -- wire::Event, as it is published
    primary key (tenant_id, event_id)
);
call protect('unsaid_events');
call open_to_lookups('unsaid_events');

create function tenants_with_unsaid_events(at_most bigint)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select distinct e.tenant_id from unsaid_events e limit at_most $$;
grant execute on function tenants_with_unsaid_events(bigint) to millrace_api;
