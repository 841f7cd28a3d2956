-- The people of the examples; their password is that of whoever came first.
insert into millrace.persons (person_id, email, email_verified_at, name, password_hash, created_at)
select p.id, p.email, now(), p.name, f.password_hash, now() from millrace.persons f, (values
    ('0198f1d2-7c00-7a00-8000-000000000090'::uuid, 'ana@example.com', 'Ana'),
    ('0198f1d2-7c00-7a00-8000-000000000091', 'carl@example.com', 'Carl')
) as p (id, email, name);
insert into millrace.members (tenant_id, person_id, role, created_at)
values ('acme', '0198f1d2-7c00-7a00-8000-000000000090', 'owner', now()),
       ('acme', '0198f1d2-7c00-7a00-8000-000000000091', 'viewer', now());
insert into millrace.invitations (tenant_id, invitation_id, hash, email, role, invited_by,
    created_at, expires_at)
values ('acme', '0198f1d2-7c00-7a00-8000-0000000000a0', sha256('mr_invite_an-example'),
        'ben@example.com', 'agent', 'operator', now(), now() + interval '7 days');
insert into millrace.sessions (session_id, person_id, created_at, used_at, ends_at)
values ('0198f1d2-7c00-7a00-8000-0000000000b0', '0198f1d2-7c00-7a00-8000-000000000090',
        now(), now(), now() + interval '30 days');
insert into millrace.refresh_tokens (hash, session_id, works_for, created_at)
values (sha256('mr_refresh_an-example'), '0198f1d2-7c00-7a00-8000-0000000000b0', 'acme', now());
insert into millrace.codes (address, purpose, hash, ends_at)
values ('ana@example.com', 'link', sha256('mr_link_an-example'), now() + interval '1 hour');
