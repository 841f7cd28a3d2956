-- What the document's examples name. The account "main" and its sender are made by the API.
insert into millrace.pools values
    ('acme', '0198f1d2-7c00-7a00-8000-000000000030', 'all',
     array(select sender_id from millrace.senders where number = '+12125550199'), now()),
    ('acme', '0198f1d2-7c00-7a00-8000-000000000031', 'spare',
     array(select sender_id from millrace.senders where number = '+12125550199'), now());
insert into millrace.brands values
    ('acme', '0198f1d2-7c00-7a00-8000-0000000000b0', 'Acme', 'Acme', '#6366f1', null, null, now(), null);
insert into millrace.inboxes values
    ('acme', '0198f1d2-7c00-7a00-8000-0000000000b1', '0198f1d2-7c00-7a00-8000-0000000000b0', 'General', now(), null);
insert into millrace.numbers (tenant_id, number_id, account, number, state, created_at, asked_at)
select 'acme', id::uuid, account, number, 'owned', '2026-05-01T12:00:00Z', now()
from millrace.carrier_accounts, (values
    ('92436a66-f89a-51e5-ac53-1d85ed07b8a1', '+12025550150'),
    ('e73ab539-5eec-5d50-9512-0a21bc30b54e', '+12025550151')
) as n (id, number)
where name = 'main';
insert into millrace.carrier_templates (tenant_id, template_id, account, name, language, category,
    components, state, status, reason, quality, carrier_id, created_at, asked_at, told_at)
select 'acme', id::uuid, account, t.name, 'en_US', 'utility',
       '{"body": {"text": "Hello {{1}}, order {{2}} has left our house.", "examples": ["Ana", "417"]}}',
       state, status, reason, quality, carrier_id, '2026-05-01T12:00:00Z', now(), now()
from millrace.carrier_accounts a, (values
    ('0198f1d2-7c00-7a00-8000-000000000041', 'order_shipped', 'approved', 'APPROVED', null, 'green',
     '590000000000001'),
    ('0198f1d2-7c00-7a00-8000-000000000042', 'order_lost', 'failed', null,
     'the carrier refuses it (100): Invalid parameter', 'unknown', null)
) as t (id, name, state, status, reason, quality, carrier_id)
where a.name = 'verified';
insert into millrace.templates values
    ('acme', '0198f1d2-7c00-7a00-8000-000000000040', 'Hello', now());
insert into millrace.template_versions
select 'acme', '0198f1d2-7c00-7a00-8000-000000000040', version,
       '[{"key": "a", "weight": 1, "bodies": {"en": "Hi {first_name|friend}", "es": "Hola"}}]',
       '{}', now()
from generate_series(1, 2) version;
insert into millrace.campaigns (tenant_id, campaign_id, name, class, program, template_id,
    template_version, pool_id, audience, state, paused_from, audience_size, cursor, version,
    created_at, started_at)
select 'acme', id::uuid, 'Spring', 'promo', 'marketing', '0198f1d2-7c00-7a00-8000-000000000040',
       case when state <> 'draft' then 2 end, '0198f1d2-7c00-7a00-8000-000000000030',
       '{"tags": ["vip"]}', state, case when state = 'paused' then 'running' end, size, size, 1,
       '2026-05-01T12:00:00Z', case when state <> 'draft' then timestamptz '2026-05-01T13:00:00Z' end
from (values
    ('0198f1d2-7c00-7a00-8000-000000000050', 'draft', 0),
    ('0198f1d2-7c00-7a00-8000-000000000051', 'running', 1),
    ('0198f1d2-7c00-7a00-8000-000000000052', 'paused', 1)
) as c (id, state, size);
insert into millrace.campaign_recipients
select 'acme', campaign_id, 0, contact_id, '0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a60'
from millrace.campaigns, millrace.contacts
where audience_size > 0 and number = '+12125550123';
insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id, number,
    campaign_id, body, segments, cost_micros, body_hash, submitted_at, changed_at, passport,
    sender_id, carrier_sid, code, gate, due)
select 'acme', id::uuid, state, 'promo', 'sms', contact_id, number,
       '0198f1d2-7c00-7a00-8000-000000000051', 'Hi Ana', 1, 7900, '\x00', '2026-05-01T13:00:00Z',
       '2026-05-01T13:00:05Z',
       '[{"stage": "enrich", "at": "2026-05-01T13:00:01Z", "verdict": "enriched"},
         {"stage": "gate", "at": "2026-05-01T13:00:02Z", "verdict": "admit", "policy_version": 0}]',
       (select sender_id from millrace.senders where number = '+12125550199'), sid, code, gate, due::timestamptz
from millrace.contacts, (values
    ('0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a60', 22, 'SM00000000000000000000000000000001', null, null,
     null),
    ('0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a61', 1, null, 'quiet_hours', 'quiet_hours',
     '2026-05-02T12:00:00Z')
) as m (id, state, sid, code, gate, due)
where number = '+12125550123';
insert into millrace.imports (tenant_id, import_id, state, total, created, created_at,
    progressed_at, finished_at)
values ('acme', '0198f1d2-7c00-7a00-8000-000000000070', 'completed', 2, 2, now(), now(), now());
insert into millrace.api_keys (tenant_id, key_id, hash, name, role, created_at)
values ('acme', '0198f1d2-7c00-7a00-8000-000000000080', '\x00', 'shop', 'operator', now());
insert into millrace.event_consumers (tenant_id, consumer_id, name, reads, begins, created_at,
    expires_at)
values ('acme', '0198f1d2-7c00-7a00-8000-0000000000c0', 'crm', '{EVENTS,ANALYTICS}', 'new', now(),
    now() + interval '90 days');
insert into millrace.standings (tenant_id, number, channel, do_not_contact_at,
    do_not_contact_reason)
values ('acme', '+12125550130', 'sms', '2026-04-01T12:00:00Z', 'complaint');
insert into millrace.consents (tenant_id, consent_id, number, channel, action, method, evidence,
    previous, at, recorded_at, recorded_by)
values ('acme', '0198f1d2-7c00-7a00-8000-0000000000c0', '+12125550123', 'sms', 'revoke', 'phrase',
        '{"words": "leave me alone", "rule": "en:phrase:leave me|us alone"}', 'consented',
        '2026-04-01T12:00:00Z', '2026-04-01T12:00:00Z', 'stage:inbound');
insert into millrace.media (tenant_id, media_id, direction, inbound_id, contact_id, sender_id,
    account, url, state, media_type, bytes, sha256, created_at, kept_from)
select 'acme', '0198f1d2-7c00-7a00-8000-0000000000d0', 'in', '0198f1d2-7c00-7a00-8000-0000000000d1',
       c.contact_id, s.sender_id, s.account, '', 'stored', 'image/png', 163, sha256('picture'),
       '2026-05-01T14:00:00Z', '2026-05-01T14:00:00Z'
from millrace.contacts c, millrace.senders s
where c.number = '+12125550123' and s.number = '+12125550199';
insert into millrace.conversations (tenant_id, conversation_id, contact_id, sender_id, address, brand_id, inbox_id,
    unread, opened_at, last_inbound_at, last_text_at, last_text_id)
select 'acme', '6ce4cf59-a5e7-57ed-860e-31252e2e43c8', c.contact_id, s.sender_id, c.number,
       '0198f1d2-7c00-7a00-8000-0000000000b0', '0198f1d2-7c00-7a00-8000-0000000000b1', 1, '2026-05-01T14:00:00Z',
       '2026-05-01T14:00:00Z', '2026-05-01T14:00:00Z', '0198f1d2-7c00-7a00-8000-0000000000d1'
from millrace.contacts c, millrace.senders s
where c.number = '+12125550123' and s.number = '+12125550199';
insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id, sender_id, body, meaning, epoch,
    received_at)
select 'acme', v.last_text_id, v.conversation_id, v.contact_id, v.sender_id, 'Are you open on Sunday?', 'text', 1,
       v.last_text_at
from millrace.conversations v;
insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id, sender_id, body, meaning, epoch,
    received_at, unknown_to)
select 'acme', '0198f1d2-7c00-7a00-8000-0000000000d2', gen_random_uuid(), v.contact_id, gen_random_uuid(), 'Hello?',
       'text', 1, '2026-05-01T14:10:00Z', '+12125550196'
from millrace.conversations v;
insert into millrace.conversation_entries (tenant_id, entry_id, conversation_id, kind, author, body, at)
select 'acme', '0198f1d2-7c00-7a00-8000-0000000000e0', v.conversation_id, 'note',
       'user:0198f1d2-7c00-7a00-8000-000000000090', 'She asks every week.', '2026-05-01T14:05:00Z'
from millrace.conversations v;
insert into millrace.canned_answers values
    ('acme', '0198f1d2-7c00-7a00-8000-0000000000ca', 'Hours', 'Hi {first_name|there}, we are open until six.',
     '2026-05-01T12:00:00Z', '2026-05-01T12:00:00Z');
insert into millrace.assistant_tools (tenant_id, tool_id, name, description, input_schema, url, timeout_seconds,
    created_at, changed_at) values
    ('acme', '0198f1d2-7c00-7a00-8000-0000000000cb', 'stock', 'How many of a thing there are.',
     '{"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]}',
     'https://orders.example.com/stock', 3, '2026-05-01T12:00:00Z', '2026-05-01T12:00:00Z');
