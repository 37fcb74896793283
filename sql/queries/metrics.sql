-- The metrics of the whole fleet, read at each scrape.

--! read_fleet_figures : FleetFigures()
SELECT
    (SELECT count(*) FROM processes WHERE expires_at > clock_timestamp()) AS daemons,
    t.tickets, t.oldest_ticket_secs, c.commands, c.oldest_command_secs, e.events, e.oldest_event_secs,
    m.messages_waiting, q.messages_queued, o.oldest_message_secs, p.sending_paused
FROM (SELECT count(*) AS tickets,
             coalesce(extract(epoch FROM clock_timestamp() - min(opened_at)), 0)::float8 AS oldest_ticket_secs
      FROM unlink_tickets) AS t,
     (SELECT count(*) AS commands,
             coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_command_secs
      FROM commands WHERE state IN ('queued', 'running')) AS c,
     (SELECT count(*) AS events,
             coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_event_secs
      FROM events WHERE NOT notified) AS e,
     (SELECT count(*) AS messages_waiting FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS m,
     (SELECT count(*) AS messages_queued FROM (SELECT FROM messages WHERE state = 'queued' LIMIT 100000) AS queued) AS q,
     -- By index, account for account, however many are queued.
     (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(due.at)), 0)::float8 AS oldest_message_secs
      FROM list_accounts_with_queue() AS queue (account)
      CROSS JOIN LATERAL (
          SELECT least((SELECT min(m.due_at) FROM messages m
                        WHERE m.account_id = queue.account AND m.state = 'queued' AND NOT m.is_new_chat
                          AND m.due_at <= clock_timestamp()),
                       (SELECT min(m.due_at) FROM messages m
                        WHERE m.account_id = queue.account AND m.state = 'queued' AND m.is_new_chat AND m.reason IS NULL
                          AND m.due_at <= clock_timestamp())) AS at
      ) AS due
      WHERE (SELECT a.status FROM whatsapp_accounts a WHERE a.id = queue.account) = 'connected') AS o,
     (SELECT count(*) AS sending_paused FROM whatsapp_accounts WHERE sending_paused_until > clock_timestamp()) AS p;

--! count_accounts_by_condition : AccountsByCondition()
-- Every status is there, also with none in it: a series that vanishes cannot be alerted on.
SELECT statuses.status, coalesce(a.reason, '') AS reason, coalesce(a.accounts, 0) AS accounts
FROM unnest(ARRAY['unpaired', 'pending', 'connected', 'reconnecting', 'held', 'deleting']) AS statuses (status)
LEFT JOIN (
    SELECT status, CASE status WHEN 'held' THEN split_part(status_reason, ':', 1) ELSE '' END AS reason,
           count(*) AS accounts
    FROM whatsapp_accounts
    WHERE deleted_at IS NULL OR status = 'deleting'
    GROUP BY 1, 2
) AS a ON a.status = statuses.status;
