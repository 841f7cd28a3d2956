-- Automatic answers end: each text says which one it has had, so that whoever answers by itself can count them, and
-- texts that nobody answers are told from the others.

alter table inbound_texts
    add column answer text,                      -- domain::automatic::AutomaticAnswer that it got; none: no automatic one
    add column code text,                        -- where it is from, if that is no person's: a short code or a name
    drop constraint inbound_texts_meaning_check;

-- Rows from before have one of fewer meanings: none needs to be looked at.
alter table inbound_texts
    add constraint inbound_texts_meaning_check
        check (meaning in ('opt_out', 'opt_in', 'help', 'text', 'reaction', 'automatic')) not valid;

create index inbound_texts_answered on inbound_texts (contact_id, received_at) where answer is not null;

-- Where carriers reach the api: one address for every process, so that whoever calls a carrier names the one whose
-- signatures the api checks.
create table platform_url (
    id boolean primary key default true check (id), -- one row, once a process has said it
    url text not null,                           -- without a slash at its end
    is_named boolean not null                    -- by MILLRACE_PUBLIC_URL; else it follows from where an api listens
);
revoke delete on platform_url from millrace_api, millrace_pipeline;
revoke update on platform_url from millrace_pipeline;
