//! Combinations of labels, stored once and referred to by number.

use rusqlite::{Row, named_params};

use super::{NameId, StoreError, Txn};

/// The number of a combination of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub i64);

/// The labels of a series, as numbers of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeriesLabels {
    /// Who answered.
    pub provider: NameId,
    /// Which model.
    pub model: NameId,
    /// Which part it played.
    pub role: NameId,
    /// Who pays.
    pub project: NameId,
    /// Which path was called.
    pub endpoint: NameId,
    /// What kind of failure.
    pub error_type: NameId,
    /// What a rate limiter counts.
    pub limit_type: NameId,
    /// The HTTP status; `None`: not said; 0: there was no answer.
    pub status_code: Option<u16>,
}

const FIND: &str =
    "SELECT id FROM series WHERE provider = :provider AND model = :model AND role = :role
 AND project = :project AND endpoint = :endpoint AND error_type = :error_type
 AND limit_type = :limit_type AND status_code = :status_code";
const ADD: &str = "INSERT INTO series(provider, model, role, project, endpoint, error_type, limit_type, status_code)
 VALUES(:provider, :model, :role, :project, :endpoint, :error_type, :limit_type, :status_code)";
const ALL: &str = "SELECT id, provider, model, role, project, endpoint, error_type, limit_type, status_code FROM series";
const ONE: &str =
    "SELECT id, provider, model, role, project, endpoint, error_type, limit_type, status_code
 FROM series WHERE id = :id";

impl Txn<'_> {
    /// The number of a combination, stored now when it was not.
    pub(super) fn intern_series(&self, labels: &SeriesLabels) -> Result<SeriesId, StoreError> {
        let params = named_params! {
            ":provider": labels.provider.0, ":model": labels.model.0, ":role": labels.role.0,
            ":project": labels.project.0, ":endpoint": labels.endpoint.0,
            ":error_type": labels.error_type.0, ":limit_type": labels.limit_type.0,
            ":status_code": labels.status_code.map_or(-1, i64::from),
        };
        let mut find = self.conn.prepare_cached(FIND)?;
        let mut rows = find.query(params)?;
        if let Some(row) = rows.next()? {
            return Ok(SeriesId(row.get(0)?));
        }
        self.conn.prepare_cached(ADD)?.execute(params)?;
        Ok(SeriesId(self.conn.last_insert_rowid()))
    }

    /// The labels of one series.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the number was never given out.
    pub fn series(&self, id: SeriesId) -> Result<SeriesLabels, StoreError> {
        let mut stmt = self.conn.prepare_cached(ONE)?;
        let mut rows = stmt.query(named_params! { ":id": id.0 })?;
        match rows.next()? {
            Some(row) => Ok(series_from_row(row)?.1),
            None => Err(StoreError::Damaged(format!("there is no series {}", id.0))),
        }
    }

    /// All series: there are few, and a query picks among them before it reads events.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn all_series(&self) -> Result<Vec<(SeriesId, SeriesLabels)>, StoreError> {
        let mut stmt = self.conn.prepare_cached(ALL)?;
        let rows = stmt.query_map([], series_from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn series_from_row(row: &Row<'_>) -> rusqlite::Result<(SeriesId, SeriesLabels)> {
    let name = |column: &str| row.get(column).map(NameId);
    let status: i64 = row.get("status_code")?;
    let labels = SeriesLabels {
        provider: name("provider")?,
        model: name("model")?,
        role: name("role")?,
        project: name("project")?,
        endpoint: name("endpoint")?,
        error_type: name("error_type")?,
        limit_type: name("limit_type")?,
        status_code: u16::try_from(status).ok(),
    };
    Ok((SeriesId(row.get("id")?), labels))
}
