-- The names that a company writes to people under, and the inboxes in which their answers arrive.

create table brands (
    tenant_id text not null,
    brand_id uuid not null,                      -- domain::ids::BrandId
    name text not null check (length(name) between 1 and 200),
    display_name text not null check (length(display_name) between 1 and 100),
    colour text not null check (colour ~ '^#[0-9a-f]{6}$'),
    logo_url text check (length(logo_url) <= 2000),
    registration jsonb,                          -- {brand, campaign, state}: what registries of senders say of it
    created_at timestamptz not null,
    archived_at timestamptz,
    primary key (tenant_id, brand_id)
);
call protect('brands');
create unique index brands_by_name on brands (tenant_id, lower(name)) where archived_at is null;

create table inboxes (
    tenant_id text not null,
    inbox_id uuid not null,                      -- domain::ids::InboxId
    brand_id uuid not null,
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null,
    archived_at timestamptz,
    primary key (tenant_id, inbox_id),
    foreign key (tenant_id, brand_id) references brands
);
call protect('inboxes');
create unique index inboxes_by_name on inboxes (tenant_id, brand_id, lower(name)) where archived_at is null;

revoke all on brands, inboxes from millrace_pipeline;
