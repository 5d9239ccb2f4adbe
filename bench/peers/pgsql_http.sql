-- pgsql-http: a request per page, its answer taken apart as jsonb.  How many
-- pages there are has to be known: 100 for the list of 10,000.
CREATE EXTENSION http;

CREATE FUNCTION pgsql_http_tasks(first int, want int) RETURNS SETOF task
LANGUAGE sql AS $$
    SELECT o.*
    FROM generate_series(first, first + coalesce(want, current_setting('bench.length')::int) - 1, 100) AS index,
         LATERAL http_get(current_setting('bench.base') || '/tasks?index=' || index
                          || '&limit=' || least(coalesce(want, 100), 100)) AS answer,
         LATERAL jsonb_to_recordset(answer.content::jsonb -> 'tasks') AS o(
             task_id text, task_name text, status text, created_at timestamptz,
             completed_at timestamptz, train_feature_id text,
             train_feature_name text, train_bucket text, train_file_path text,
             test_feature_id text, test_feature_name text, test_bucket text,
             test_file_path text, "AUROC" double precision,
             line_count bigint, disk_usage bigint, fail_message text)
$$;

CREATE FUNCTION pgsql_http_task(id text) RETURNS SETOF task
LANGUAGE sql AS $$
    SELECT o.*
    FROM http_get(current_setting('bench.base') || '/tasks/' || id) AS answer,
         LATERAL jsonb_to_record(answer.content::jsonb) AS o(
             task_id text, task_name text, status text, created_at timestamptz,
             completed_at timestamptz, train_feature_id text,
             train_feature_name text, train_bucket text, train_file_path text,
             test_feature_id text, test_feature_name text, test_bucket text,
             test_file_path text, "AUROC" double precision,
             line_count bigint, disk_usage bigint, fail_message text)
$$;
