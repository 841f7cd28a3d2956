-- People, and where each number stands with a tenant.

create table contacts (
    tenant_id text not null,
    contact_id uuid not null,                    -- v5(tenant, number): one contact per number
    number text not null,                        -- E.164
    country text not null,                       -- ISO 3166, from the number
    first_name text not null default '',
    last_name text not null default '',
    language text,                               -- ISO 639-1
    time_zone text,                              -- IANA, as told by the person or an address
    postal_code text,
    region text,                                 -- ISO 3166-2, 'US-FL'
    tags text[] not null default '{}',
    attributes jsonb not null default '{}',      -- the tenant's own fields, values are text
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, contact_id)
) with (fillfactor = 80);
call protect('contacts');

-- May this number be texted? One row per (tenant, number, channel group), made by enrich or import,
-- locked in key order by the claim of send and by every opt-out: an opt-out that has committed
-- before a claim is seen by it.
create table standings (
    tenant_id text not null,
    number text not null,
    channel text not null check (channel in ('sms', 'whatsapp')),
    opted_out_at timestamptz,                    -- the person said stop
    opt_out_cause text,                          -- keyword, phrase, carrier, api, import
    do_not_contact_at timestamptz,               -- the tenant or the platform said so
    do_not_contact_reason text,
    marketing_consent_at timestamptz,            -- the latest grant that stands
    last_promo_at timestamptz,                   -- suppression
    marketing_at timestamptz[] not null default '{}', -- the latest admissions of marketing, at most 10: frequency
    last_inbound_at timestamptz,                 -- conversation window
    primary key (tenant_id, number, channel)
) with (fillfactor = 50);
call protect('standings');

-- The consent ledger: append only. What auditors and plaintiffs ask for.
create table consents (
    tenant_id text not null,
    consent_id uuid not null,
    number text not null,
    channel text not null,
    action text not null check (action in ('grant', 'revoke', 'restore')),
    method text not null,                        -- import, api, keyword, phrase, carrier
    language text,
    source text,                                 -- list, form or vendor
    evidence jsonb not null default '{}',        -- inbound id, file line, disclosure, address, ...
    previous text,                               -- where the number stood before
    at timestamptz not null,                     -- business time
    recorded_by text not null,                   -- API key, stage
    primary key (tenant_id, consent_id)
);
call protect('consents');
revoke update, delete on consents from millrace_api, millrace_pipeline;
create index consents_by_number on consents (tenant_id, number);
