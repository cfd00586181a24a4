#!/bin/bash
# Inside a temporary GRASS location: grass_maxlik.sh SCENE SQUARES.shp MAP
set -euo pipefail
scene=$1 squares=$2 map=$3
r.in.gdal -o --quiet input="$scene" output=band memory=300
g.region raster=band.1
bands=$(g.list type=raster pattern='band.*' separator=comma)
i.group --quiet group=all subgroup=all input="$bands"
v.in.ogr -o --quiet input="$squares" output=squares
v.to.rast --quiet input=squares type=area use=attr attribute_column=class output=squares
i.gensig --quiet trainingmap=squares group=all subgroup=all signaturefile=known
i.maxlik --quiet group=all subgroup=all signaturefile=known output=map
r.out.gdal --quiet --overwrite -f input=map output="$map" format=GTiff type=Byte nodata=0 \
  createopt=COMPRESS=DEFLATE,TILED=YES
