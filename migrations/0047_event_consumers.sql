-- What a company's own programs read at the broker. The broker keeps how far each has read, and
-- nobody keeps what it logs in with.

create table event_consumers (
    tenant_id text not null,
    consumer_id uuid not null,
    name text not null check (length(name) between 1 and 200),
    reads text[] not null,                       -- streams: EVENTS, ANALYTICS
    begins text not null,                        -- new, all, or an instant as RFC 3339 writes it
    created_at timestamptz not null,             -- by the machine's clock
    expires_at timestamptz not null,             -- as the broker knows it: by the machine's clock
    primary key (tenant_id, consumer_id)
);
call protect('event_consumers');

revoke all on event_consumers from millrace_pipeline;
