#!/bin/bash
# Inside a temporary GRASS location: grass_kmeans.sh SCENE MAP
set -euo pipefail
scene=$1 map=$2
r.in.gdal -o --quiet input="$scene" output=band memory=300
g.region raster=band.1
bands=$(g.list type=raster pattern='band.*' separator=comma)
i.group --quiet group=all subgroup=all input="$bands"
i.cluster --quiet group=all subgroup=all signaturefile=found classes=12 iterations=20
i.maxlik --quiet group=all subgroup=all signaturefile=found output=map
r.out.gdal --quiet --overwrite -f input=map output="$map" format=GTiff type=Byte nodata=0 \
  createopt=COMPRESS=DEFLATE,TILED=YES
