-- Conversations: texts that came in, and the answers the AI made.

create table conversations (
    tenant_id text not null,
    conversation_id uuid not null,               -- v5(contact, sender)
    contact_id uuid not null,
    sender_id uuid not null,
    epoch integer not null default 1,            -- raised by opt-out and take-over: older answers are void
    last_campaign_id uuid,                       -- of the last message sent to them
    last_inbound_at timestamptz,
    primary key (tenant_id, conversation_id)
) with (fillfactor = 50);
call protect('conversations');

create table inbound_texts (
    tenant_id text not null,
    inbound_id uuid not null,                    -- from the account and the carrier's id: a repeat is the same text
    conversation_id uuid not null,
    contact_id uuid not null,
    sender_id uuid not null,
    body text not null,
    meaning text not null check (meaning in ('opt_out', 'opt_in', 'help', 'text')),
    rule text,                                   -- the lexicon's rule that matched
    epoch integer not null,                      -- of the conversation when it came
    received_at timestamptz not null,
    primary key (tenant_id, inbound_id)
);
call protect('inbound_texts');
create index inbound_texts_by_conversation on inbound_texts (tenant_id, conversation_id, received_at);

-- One row per text that asked for an answer: the first decision stands.
create table ai_replies (
    tenant_id text not null,
    message_id uuid not null,                    -- of the answer
    conversation_id uuid not null,
    inbound_id uuid not null,
    body text,                                   -- none: decided not to answer
    reason text not null,                        -- 'answered', or why not
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    at timestamptz not null,
    primary key (tenant_id, message_id)
);
call protect('ai_replies');
create index ai_replies_by_conversation on ai_replies (tenant_id, conversation_id, at);
