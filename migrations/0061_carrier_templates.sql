-- Message templates that companies keep at their carrier accounts, as the carrier has them, and campaigns that are
-- sent by them.

create table carrier_templates (
    tenant_id text not null,
    template_id uuid not null,                   -- domain::ids::CarrierTemplateId: of account, name and language
    account text not null,                       -- the account's handle
    name text not null check (length(name) <= 512),
    language text not null check (length(language) <= 16),
    category text not null check (length(category) <= 64), -- as the carrier says it, in small letters
    components jsonb not null,                   -- domain::carrier_template::TemplateComponents
    state text not null                          -- domain::carrier_template::ReviewState
        check (state in ('submitted', 'pending', 'approved', 'rejected', 'paused', 'disabled', 'failed', 'other')),
    status text check (length(status) <= 64),    -- the carrier's own word for it; null: it has said none
    reason text check (length(reason) <= 2000),  -- why it was rejected, or not taken
    quality text not null default 'unknown' check (length(quality) <= 64),
    carrier_id text check (length(carrier_id) <= 64), -- the carrier's id of it; null: it has said none
    created_at timestamptz not null,             -- business time: when it came to be here
    asked_at timestamptz not null,               -- machine time: when the carrier was asked for it, or first listed it
    told_at timestamptz not null,                -- machine time: news that are older change nothing
    primary key (tenant_id, template_id),
    foreign key (tenant_id, account) references carrier_accounts
);
call protect('carrier_templates');
create index carrier_templates_by_account on carrier_templates (tenant_id, account);

-- When the templates of an account are next read at its carrier.
create table template_syncs (
    tenant_id text not null,
    account text not null,
    due timestamptz not null,                    -- machine time
    tries smallint not null default 0,           -- reads that have failed since the last that went well
    listed_at timestamptz,                       -- machine time of the last whole list; null: there was none
    primary key (tenant_id, account),
    foreign key (tenant_id, account) references carrier_accounts
);
call protect('template_syncs');
call open_to_lookups('template_syncs');
create index template_syncs_due on template_syncs (due);

insert into template_syncs (tenant_id, account, due)
select a.tenant_id, a.account, 'epoch' from carrier_accounts a
where a.carrier = 'whatsapp' and a.removed_at is null
  and not exists (select from platform_accounts p where p.account = a.account);

-- The accounts whose templates are to be read, the longest due first.
create function due_template_syncs(machine timestamptz, at_most bigint)
    returns table (tenant_id text, account text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select s.tenant_id, s.account from template_syncs s
        where s.due <= machine order by s.due limit at_most
    $$;
grant execute on function due_template_syncs(timestamptz, bigint) to millrace_pipeline;

-- A campaign is sent by one channel: texts of a template of the company's, or a template of the carrier's.
alter table campaigns add column channel text not null default 'sms';
alter table campaigns add column carrier_template jsonb; -- domain::draft::CarrierTemplate; its values may name fields
alter table campaigns alter column template_id drop not null;
alter table campaigns add check ((template_id is null) <> (carrier_template is null));
