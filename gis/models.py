"""Every table of the house, loaded: foreign keys name tables of other rooms, so a door imports this once."""

import gis.audit.model
import gis.complaints.georeport_model
import gis.complaints.incident_model
import gis.complaints.law_model
import gis.complaints.model
import gis.complaints.room_model
import gis.complaints.routing_model
import gis.complaints.uploads
import gis.coverage.model
import gis.dispatch.model
import gis.dispatch.plan_model
import gis.dispatch.track_model
import gis.hotspots.model
import gis.inspections.consequence_model
import gis.inspections.finding_model
import gis.inspections.model
import gis.inspections.patrol_model
import gis.inspections.round_model
import gis.inspections.site_model
import gis.inspections.sync_model
import gis.jobs
import gis.journal
import gis.network.import_model
import gis.network.model
import gis.network.outage_model
import gis.network.reading_model
import gis.network.season_model
import gis.network.topology_model
import gis.oversight.counting_model
import gis.oversight.model
import gis.oversight.outreach_model
import gis.oversight.week_model
import gis.people.model
import gis.places.model
import gis.portal.model
import gis.webhooks.model  # noqa: F401
from gis.db import Base

metadata = Base.metadata
