-- Tools of the assistant: what it may look up at a server of its company before it answers.

create table assistant_tools (
    tenant_id text not null,
    tool_id uuid not null,
    name text not null check (length(name) between 1 and 40), -- what the model calls it
    description text not null check (length(description) between 1 and 500), -- what it is for, as the model reads it
    input_schema jsonb not null check (octet_length(input_schema::text) <= 16384), -- domain::assistant::check_schema
    url text not null check (length(url) between 1 and 2000), -- where it is called, by POST
    header text check (length(header) between 1 and 64), -- that carries its secret; null: it has none
    sealed_secret text,                          -- what the header says, under the master key
    timeout_seconds smallint not null check (timeout_seconds between 1 and 10), -- how long a call may take
    created_at timestamptz not null,             -- business time
    changed_at timestamptz not null,             -- business time
    primary key (tenant_id, tool_id),
    check ((header is null) = (sealed_secret is null))
);
call protect('assistant_tools');
create unique index assistant_tools_by_name on assistant_tools (tenant_id, name);
revoke insert, update, delete on assistant_tools from millrace_pipeline;

-- How often tools were called for an answer, and how often they said nothing of use.
alter table ai_replies
    add column tool_calls smallint not null default 0,
    add column tool_failures smallint not null default 0;

-- Calls of tools on the day.
alter table assistant_usage
    add column tool_calls bigint not null default 0;
