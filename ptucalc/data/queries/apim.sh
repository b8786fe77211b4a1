# Every call through API Management, by az monitor log-analytics query.
# Put your workspace's GUID in (Log Analytics workspace > Overview > Workspace ID); the first run installs the az
# extension log-analytics. For other days save the query (ptucalc logs --kql apim > days.kql),
# edit the two dates at its top, and give it as --analytics-query "$(cat days.kql)".
# An answer is cut at some number of rows (500,000 when last seen, not confirmed): ask for fewer days then, and give
# ptucalc several files. Needs a shell that keeps line breaks in an argument (bash, zsh; PowerShell: save the query on
# one line, without its // comments).
WORKSPACE=00000000-0000-0000-0000-000000000000
az monitor log-analytics query -w "$WORKSPACE" \
  --analytics-query "$(ptucalc logs --kql apim)" -o json \
  > apim.json
ptucalc logs apim.json
