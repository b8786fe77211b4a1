# Every traced model call, by az monitor app-insights query.
# Put the Application ID in (Application Insights > API Access), or a name with -g RESOURCE-GROUP; the first run
# installs the az extension application-insights. For other days save the query (ptucalc logs --kql appinsights >
# days.kql), edit the two dates at its top, give it as --analytics-query "$(cat days.kql)", and cover the days with
# --start-time and --end-time: az looks at the last hour only where it is not told, whatever the query says.
# An answer is cut at some number of rows (500,000 when last seen, not confirmed): ask for fewer days then, and give
# ptucalc several files. Needs a shell that keeps line breaks in an argument (bash, zsh; PowerShell: save the query on
# one line, without its // comments).
APP=00000000-0000-0000-0000-000000000000
az monitor app-insights query --apps "$APP" --offset 8d \
  --analytics-query "$(ptucalc logs --kql appinsights)" -o json \
  > appinsights.json
ptucalc logs appinsights.json
