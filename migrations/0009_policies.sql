-- What gates go by: policies in versions, switches, caps.

create table policies (
    tenant_id text not null,
    version bigint not null,                     -- the highest is in force
    body jsonb not null,                         -- domain::gates::Policy
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant_id, version)
);
call protect('policies');
revoke update, delete on policies from millrace_api, millrace_pipeline;

create table switches (
    tenant_id text not null,
    scope text not null check (scope in ('tenant', 'campaign', 'sender')),
    target text not null,                        -- the campaign's or sender's id; '' for the tenant
    mode text not null check (mode in ('paused', 'stopped')), -- no row: on
    reason text not null default '',
    changed_at timestamptz not null,
    primary key (tenant_id, scope, target)
);
call protect('switches');

-- The platform's own switch; no tenant's row, so no row-level security.
create table platform_switch (
    id boolean primary key default true check (id),  -- one row
    mode text not null default 'on' check (mode in ('on', 'paused', 'stopped'))
);
insert into platform_switch default values;
revoke insert, update, delete on platform_switch from millrace_pipeline;

create table budgets (
    tenant_id text not null,
    scope text not null check (scope in ('tenant', 'campaign')),
    target text not null,                        -- the campaign's id; '' for the tenant
    daily_micros bigint check (daily_micros >= 0),
    monthly_micros bigint check (monthly_micros >= 0),
    primary key (tenant_id, scope, target)
);
call protect('budgets');
