-- Answers that people keep at hand: a text with variables, which a reply fills in.

create table canned_answers (
    tenant_id text not null,
    answer_id uuid not null,
    name text not null check (length(name) between 1 and 200),
    body text not null check (length(body) between 1 and 6400), -- domain::template: values of the contact, and of the reply
    created_at timestamptz not null,             -- business time
    changed_at timestamptz not null,             -- business time
    primary key (tenant_id, answer_id)
);
call protect('canned_answers');
create unique index canned_answers_by_name on canned_answers (tenant_id, lower(name));
revoke all on canned_answers from millrace_pipeline;
