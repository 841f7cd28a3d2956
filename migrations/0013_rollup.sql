-- Analytics: what has been counted, and the totals.

-- What is counted of each message: the state of its highest version, which is raised with every
-- (turn, state). A repeat or a late report moves the totals by the difference only.
create table counted_messages (
    tenant_id text not null,
    message_id uuid not null,
    version bigint not null,
    state smallint not null,
    gate text,                                   -- of a block
    campaign_id uuid,
    segments smallint not null,
    cost_micros bigint not null,
    primary key (tenant_id, message_id)
) with (fillfactor = 50);
call protect('counted_messages');

create table counted_events (
    tenant_id text not null,
    event_id uuid not null,
    primary key (tenant_id, event_id)
);
call protect('counted_events');

create table totals (
    tenant_id text not null,
    scope text not null,                         -- wire::subject::Scope
    scope_id uuid not null,                      -- nil for the dashboard
    name text not null,
    value bigint not null,
    primary key (tenant_id, scope, scope_id, name)
) with (fillfactor = 50);
call protect('totals');

create table total_heads (
    tenant_id text not null,
    scope text not null,
    scope_id uuid not null,
    as_of timestamptz not null,
    watermark bigint not null,                   -- events counted
    version bigint not null,
    published bigint not null default 0,         -- the last version that subscribers have
    leased_until timestamptz,                    -- machine time; one publisher at a time
    primary key (tenant_id, scope, scope_id)
) with (fillfactor = 50);
call protect('total_heads');
call open_to_lookups('total_heads');
