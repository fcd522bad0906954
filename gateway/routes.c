/* All routes: one array per resource file. */
#include "gateway/router.h"

const struct route_table routes_all[] = {
    {routes_health, &routes_health_count},     {routes_executions, &routes_executions_count},
    {routes_logs, &routes_logs_count},         {routes_log_events, &routes_log_events_count},
    {routes_tickets, &routes_tickets_count},   {routes_metrics, &routes_metrics_count},
    {routes_images, &routes_images_count},     {routes_audit, &routes_audit_count},
    {routes_trace, &routes_trace_count},       {routes_users, &routes_users_count},
    {routes_api_keys, &routes_api_keys_count}, {routes_secrets, &routes_secrets_count},
    {routes_session, &routes_session_count},   {routes_web, &routes_web_count},
};
const size_t routes_all_count = ARRAY_SIZE(routes_all);
