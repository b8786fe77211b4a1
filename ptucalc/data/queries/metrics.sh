# Tokens and calls of every minute and deployment, from Azure Monitor metrics. No diagnostic setting is needed; metrics
# are kept for 93 days (not confirmed).
# What it cannot see: single calls, bursts within a minute, and cached tokens of deployments that are not provisioned
# (ActiveTokens, all tokens less cached ones, exists for provisioned ones only).
# --top is needed: az returns 10 series otherwise, and the sums come out short without a word. --interval is needed too:
# a long span is coarsened otherwise. All four metrics are counts: ask for Total, an average would be per sample.
# One day per file keeps answers small; repeat with other dates, none of which overlap, and give ptucalc all files.
RESOURCE=/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.CognitiveServices/accounts/ACCOUNT
DAY=2026-11-02
NEXT=2026-11-03
az monitor metrics list --resource "$RESOURCE" \
  --metrics AzureOpenAIRequests ProcessedPromptTokens GeneratedTokens ActiveTokens \
  --aggregation Total --interval PT1M --filter "ModelDeploymentName eq '*'" --top 1000 \
  --start-time "${DAY}T00:00:00Z" --end-time "${NEXT}T00:00:00Z" -o json \
  > "metrics-$DAY.json"
ptucalc logs metrics-*.json
# Calls by status (429s) and spillover are in the first metric only; to look at, not to add to the files above:
#   az monitor metrics list --resource "$RESOURCE" --metrics AzureOpenAIRequests --aggregation Total --interval PT1M \
#     --filter "ModelDeploymentName eq '*' and StatusCode eq '*' and IsSpillover eq '*'" --top 1000 \
#     --start-time "${DAY}T00:00:00Z" --end-time "${NEXT}T00:00:00Z" -o json
