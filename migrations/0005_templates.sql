-- Message templates in versions; a version never changes.

create table templates (
    tenant_id text not null,
    template_id uuid not null,
    name text not null,
    created_at timestamptz not null,
    primary key (tenant_id, template_id)
);
call protect('templates');

create table template_versions (
    tenant_id text not null,
    template_id uuid not null,
    version integer not null,
    variants jsonb not null,                     -- [{key, weight, bodies: {language: text}}], 1 to 26
    variables text[] not null default '{}',      -- what a text may use beside the contact's own fields
    created_at timestamptz not null,
    primary key (tenant_id, template_id, version),
    foreign key (tenant_id, template_id) references templates (tenant_id, template_id)
);
call protect('template_versions');
revoke update, delete on template_versions from millrace_api, millrace_pipeline;
