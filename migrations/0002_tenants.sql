-- Tenants, and the keys their programs sign in with.

create table tenants (
    tenant_id text primary key check (tenant_id ~ '^[a-z0-9-]{2,32}$'), -- the key itself, immutable
    name text not null,
    country text not null default 'US',          -- region in which numbers without + are read
    time_zone text not null default 'America/New_York', -- budgets' days; a recipient's last resort
    currency text not null default 'USD',
    language text not null default 'en',         -- of texts when the contact has none
    created_at timestamptz not null
);
call protect('tenants');
call open_to_lookups('tenants');

create table api_keys (
    tenant_id text not null,
    key_id uuid not null,
    hash bytea not null,                         -- SHA-256 of the key; the key is shown once
    name text not null,
    role text not null check (role in ('owner', 'admin', 'operator', 'agent', 'viewer')),
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, key_id)
);
call protect('api_keys');
call open_to_lookups('api_keys');
create unique index api_keys_by_hash on api_keys (hash); -- signing in happens before a tenant is known

-- POSTs other than messages: same key and body, same answer for 24 hours.
create table idempotency_keys (
    tenant_id text not null,
    key text not null,                           -- 1 to 255 visible characters
    body_hash bytea not null,                    -- another body under the key is a 422
    status smallint not null,
    response jsonb not null,
    created_at timestamptz not null,             -- machine time
    primary key (tenant_id, key)
);
call protect('idempotency_keys');
