-- What becomes of a message that is late, as its sender asked: a call whose process died is made
-- again from the message's row, and the gates judge its lateness again.

alter table messages add column on_late text;    -- domain::gates::OnLate; null: the policy says
