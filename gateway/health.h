/* What this gateway calls itself where Runvoy names its cloud. */
#ifndef TAILGATE_GATEWAY_HEALTH_H
#define TAILGATE_GATEWAY_HEALTH_H

#define HEALTH_PROVIDER "tailgate"

#endif
