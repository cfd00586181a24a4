#!/bin/bash
# saga.sh kmeans|isodata|maxlike SCENE MAP [SQUARES.shp]
set -euo pipefail
method=$1 scene=$2 map=$3 squares=${4:-}
folder=$(mktemp --directory)
trap 'rm -rf "$folder"' EXIT
saga_cmd -f=s io_gdal 0 -FILES "$scene" -MULTIPLE 0 -GRIDS "$folder/band.sgrd"
bands=$(printf '%s;' "$folder"/band*.sgrd)
bands=${bands%;}
case $method in
  kmeans)
    saga_cmd -f=s imagery_classification 1 -GRIDS "$bands" -CLUSTER "$folder/map.sgrd" \
      -STATISTICS "$folder/table.csv" -METHOD 0 -NCLUSTER 12 -MAXITER 20 -UPDATEVIEW 0 ;;
  isodata)
    saga_cmd -f=s imagery_isocluster 0 -FEATURES "$bands" -CLUSTER "$folder/map.sgrd" \
      -STATISTICS "$folder/table.csv" -ITERATIONS 20 -CLUSTER_INI 12 -CLUSTER_MAX 16 ;;
  maxlike)
    saga_cmd -f=s imagery_classification 0 -GRIDS "$bands" -CLASSES "$folder/map.sgrd" \
      -TRAINING "$squares" -TRAINING_CLASS class -METHOD 4 ;;
  *)
    echo "unknown method $method" >&2
    exit 2 ;;
esac
saga_cmd -f=s io_gdal 2 -GRIDS "$folder/map.sgrd" -FILE "$map" -OPTIONS "COMPRESS=DEFLATE TILED=YES"
