# How the blueprint is built of the image of Redis; to be sourced. Of the kernels, the first that apt knows: Debian's or Ubuntu's.
# shellcheck shell=bash disable=SC2034
blueprint_options=(
  --name redis
  --ready tcp:6379
  --before-suspend "/usr/sbin/hooks before-suspend"
  --after-resume "/usr/sbin/hooks after-resume"
  --sysctl vm.overcommit_memory=1
)
