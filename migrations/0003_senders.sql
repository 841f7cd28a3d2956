-- Carrier accounts, the senders that belong to them, and pools of senders.

create table carrier_accounts (
    tenant_id text not null,
    account text not null check (account ~ '^[A-Za-z0-9_-]{1,64}$'), -- its key here; unique below, as webhooks name it
    carrier text not null check (carrier in ('twilio')),
    carrier_sid text not null,                   -- the account's id at the carrier
    base_url text not null,
    sealed_token text not null,                  -- AES-256-GCM under the master key
    confirms_opt_out boolean not null default true, -- the carrier answers its own opt-out words: we do not
    created_at timestamptz not null,
    primary key (tenant_id, account)
);
call protect('carrier_accounts');
call open_to_lookups('carrier_accounts');
create unique index carrier_accounts_by_name on carrier_accounts (account);

create table senders (
    tenant_id text not null,
    sender_id uuid not null,                     -- v5(tenant, number)
    account text not null,
    number text not null,                        -- E.164, short code or alphanumeric id
    country text not null,                       -- ISO 3166: recipients it is for
    time_zone text not null,                     -- its warm-up days
    pace integer not null check (pace between 1 and 10000), -- segments per second
    active_since timestamptz not null,           -- start of the warm-up curve
    daily_cap integer not null check (daily_cap > 0), -- messages a day once warmed up
    usable boolean not null default true,        -- false: quarantined or not registered
    created_at timestamptz not null,
    primary key (tenant_id, sender_id),
    foreign key (tenant_id, account) references carrier_accounts (tenant_id, account)
);
call protect('senders');
call open_to_lookups('senders');

create table pools (
    tenant_id text not null,
    pool_id uuid not null,
    name text not null,
    senders uuid[] not null check (cardinality(senders) between 1 and 400), -- in the order they were given
    created_at timestamptz not null,
    primary key (tenant_id, pool_id)
);
call protect('pools');
