-- What messages on WhatsApp cost: companies say the prices, in versions with a day from which each holds, and Meta's reports
-- settle what each message was billed as.

create table whatsapp_rates (
    tenant_id text not null,
    version bigint not null,                     -- from 1
    valid_from timestamptz not null,             -- business time from which on it holds, until that of the next
    body jsonb not null,                         -- domain::billing::WhatsappRates
    created_at timestamptz not null,             -- business time
    created_by text not null,                    -- key:... or user:...
    primary key (tenant_id, version)
);
call protect('whatsapp_rates');
revoke update on whatsapp_rates from millrace_api;
revoke insert, update, delete on whatsapp_rates from millrace_pipeline;

-- How many service messages each number has had in a month, where so many of a month are free.
create table free_service_messages (
    tenant_id text not null,
    sender_id uuid not null,
    month_start timestamptz not null,            -- of the company's zone
    used integer not null,
    primary key (tenant_id, sender_id, month_start)
);
call protect('free_service_messages');
revoke insert, update, delete on free_service_messages from millrace_api;

alter table messages
    add column pricing jsonb;                    -- domain::billing::Settlement; null: no report has told its price
alter table unmatched_receipts
    add column price jsonb;                      -- domain::billing::PriceNotice; null: it tells of none
