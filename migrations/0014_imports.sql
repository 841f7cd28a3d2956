-- Contact imports: what became of each line.

create table imports (
    tenant_id text not null,
    import_id uuid not null,
    state text not null check (state in ('running', 'completed', 'failed')),
    total bigint not null default 0,
    created bigint not null default 0,
    updated bigint not null default 0,
    unchanged bigint not null default 0,
    duplicate bigint not null default 0,
    invalid bigint not null default 0,
    error text,
    created_at timestamptz not null,
    progressed_at timestamptz not null,          -- machine time of the last step: an import whose process died stands still
    finished_at timestamptz,
    primary key (tenant_id, import_id)
);
call protect('imports');

-- Lines that did not simply become a contact, with the reason.
create table import_rows (
    tenant_id text not null,
    import_id uuid not null,
    line bigint not null,
    outcome text not null check (outcome in ('duplicate', 'invalid')),
    reason text not null,
    primary key (tenant_id, import_id, line)
);
call protect('import_rows');
