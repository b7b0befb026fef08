"""Made-up rows with the columns of known tables, and a target that follows from them."""

from __future__ import annotations

import numpy as np
import pandas as pd


def _draw(n: int) -> np.random.Generator:
    return np.random.default_rng(n)


def bank(n: int) -> pd.DataFrame:
    """Calls of a bank's campaign."""
    rng = _draw(n)
    jobs = ["admin.", "blue-collar", "technician", "services", "management", "retired", "student"]
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 88, n),
            "job": rng.choice(jobs, n),
            "marital": rng.choice(["married", "single", "divorced"], n),
            "education": rng.choice(["basic.9y", "high.school", "university.degree"], n),
            "default": rng.choice(["no", "unknown"], n, p=[0.8, 0.2]),
            "housing": rng.choice(["no", "yes"], n),
            "loan": rng.choice(["no", "yes"], n, p=[0.84, 0.16]),
            "contact": rng.choice(["cellular", "telephone"], n, p=[0.63, 0.37]),
            "month": rng.choice(["mar", "may", "jul", "aug", "oct"], n),
            "day_of_week": rng.choice(["mon", "tue", "wed", "thu", "fri"], n),
            "duration": rng.gamma(1.2, 210, n).astype(int),
            "campaign": rng.geometric(0.4, n),
            "pdays": np.where(rng.random(n) < 0.04, rng.integers(1, 20, n), 999),
            "previous": rng.poisson(0.17, n),
            "poutcome": rng.choice(["nonexistent", "failure", "success"], n, p=[0.86, 0.1, 0.04]),
            "emp.var.rate": rng.choice([1.4, 1.1, -0.1, -1.8, -2.9], n),
            "cons.price.idx": rng.normal(93.6, 0.58, n).round(3),
            "cons.conf.idx": rng.normal(-40.5, 4.6, n).round(1),
            "euribor3m": rng.choice([4.96, 4.86, 1.3, 0.9], n),
            "nr.employed": rng.choice([5228.1, 5191.0, 5099.1, 4991.6], n),
        }
    )
    odds = (
        -2.4
        - 0.7 * frame["emp.var.rate"]
        + 1.8 * (frame["poutcome"] == "success")
        - 0.8 * (frame["contact"] == "telephone")
        + 0.004 * frame["duration"]
    )
    return frame.assign(y=np.where(odds + rng.logistic(size=n) > 0, "yes", "no"))


def homes(n: int) -> pd.DataFrame:
    """Blocks of houses."""
    rng = _draw(n)
    households = rng.gamma(2.5, 200, n).round() + 5
    frame = pd.DataFrame(
        {
            "longitude": rng.uniform(-124, -114.5, n).round(2),
            "latitude": rng.uniform(32.6, 41.9, n).round(2),
            "housing_median_age": rng.integers(2, 53, n).astype(float),
            "total_rooms": (households * rng.normal(5.4, 0.9, n).clip(2)).round(),
            "total_bedrooms": np.where(rng.random(n) < 0.01, np.nan, (households * 1.07).round()),
            "population": (households * rng.normal(2.9, 0.5, n).clip(1)).round(),
            "households": households,
            "median_income": rng.gamma(4.2, 0.92, n).round(4),
            "ocean_proximity": rng.choice(["<1H OCEAN", "INLAND", "NEAR OCEAN", "NEAR BAY"], n),
        }
    )
    inland = frame["ocean_proximity"] == "INLAND"
    value = 60_000 * (1 + frame["median_income"]) * np.where(inland, 0.6, 1.0)
    value *= np.exp(rng.normal(0, 0.2, n))
    return frame.assign(median_house_value=value.clip(15_000, 500_001).round(-2))


def credit(n: int) -> pd.DataFrame:
    """Applications for a credit; 1 was paid back."""
    rng = _draw(n)
    status = ["... < 100 DM", "0 <= ... < 200 DM", "no checking account"]
    savings = ["... < 100 DM", "100 <= ... < 500 DM", "unknown/no savings account"]
    people = ["male : single", "female : divorced/separated/married", "male : married/widowed"]
    frame = pd.DataFrame(
        {
            "status": rng.choice(status, n),
            "duration": rng.integers(4, 61, n),
            "credit_history": rng.choice(
                ["existing credits paid back duly till now", "delay in paying off in the past"], n
            ),
            "purpose": rng.choice(["car (new)", "radio/television", "education"], n),
            "amount": rng.gamma(2.0, 1600, n).round().astype(int) + 250,
            "savings": rng.choice(savings, n),
            "employment_duration": rng.choice(["... < 1 year", "1 <= ... < 4 years"], n),
            "installment_rate": rng.integers(1, 5, n),
            "personal_status_sex": rng.choice(people, n),
            "age": rng.integers(19, 75, n),
            "housing": rng.choice(["own", "rent", "for free"], n),
            "job": rng.choice(["skilled employee/official", "unskilled - resident"], n),
            "foreign_worker": rng.choice(["yes", "no"], n),
        }
    )
    odds = (
        2.0
        + 1.4 * (frame["status"] == "no checking account")
        - 0.04 * frame["duration"]
        - 0.0002 * frame["amount"]
        + 0.5 * (frame["savings"] != "... < 100 DM")
    )
    return frame.assign(credit_risk=(odds + rng.logistic(size=n) > 0).astype(int))


def reviews(n: int) -> pd.DataFrame:
    """Reviews of food in words."""
    rng = _draw(n)
    good = ["great taste", "love this", "my favorite", "delicious and fresh", "best coffee"]
    bad = ["not good at all", "stale and bland", "waste of money", "terrible smell", "too salty"]
    rest = ["i ordered a box", "for my dog", "with the kids", "at the office", "two bags arrived"]
    happy = rng.random(n) < 0.65
    said = [
        " ".join(
            rng.permutation(
                [*rng.choice(good if yes != (rng.random() < 0.1) else bad, 2), *rng.choice(rest, 4)]
            )
        )
        for yes in happy
    ]
    return pd.DataFrame(
        {
            "product": rng.choice([f"B00{i:03d}" for i in range(60)], n),
            "review": said,
            "score": np.where(happy, "great", "other"),
        }
    )


def hotel(n: int) -> pd.DataFrame:
    """Nights in a hotel by the sea."""
    rng = _draw(n)
    arrival = pd.Timestamp("2016-07-02") + pd.to_timedelta(np.sort(rng.integers(0, 420, n)), "D")
    frame = pd.DataFrame(
        {
            "lead_time": rng.integers(0, 300, n),
            "stays_in_weekend_nights": rng.integers(0, 4, n),
            "adults": rng.integers(1, 4, n),
            "children": rng.integers(0, 3, n),
            "meal": rng.choice(["bed_and_breakfast", "no_meal_package"], n),
            "market_segment": rng.choice(["online_travel_agent", "direct", "groups"], n),
            "reserved_room_type": rng.choice(["a", "d", "e", "g"], n),
            "arrival_date": arrival,
        }
    )
    summer = np.cos((frame["arrival_date"].dt.dayofyear - 215) / 365 * 2 * np.pi)
    price = 80 + 60 * summer.clip(0) + 15 * frame["children"]
    price -= 12 * (frame["market_segment"] == "groups")
    return frame.assign(avg_price_per_room=(price + rng.normal(0, 10, n)).clip(20).round(2))


def juice(n: int) -> pd.DataFrame:
    """Weekly sales of three brands in three stores."""
    rng = _draw(n)
    weeks = pd.date_range("1990-06-14", periods=n // 9, freq="W-THU")
    keys = pd.MultiIndex.from_product([[2, 5, 8], ["dominicks", "minute.maid", "tropicana"], weeks])
    frame = keys.to_frame(index=False, name=["Store", "Brand", "WeekStarting"])
    usual = frame["Brand"].map({"dominicks": 1.6, "minute.maid": 2.2, "tropicana": 2.9})
    frame["Advert"] = (rng.random(len(frame)) < 0.25).astype(int)
    price = usual * (1 - 0.25 * frame["Advert"]) + rng.normal(0, 0.1, len(frame))
    frame["Price"] = price.round(2)
    sold = 9.5 - 1.2 * frame["Price"] / usual + 0.6 * frame["Advert"]
    sold += 0.2 * np.sin(frame["WeekStarting"].dt.dayofyear / 365 * 2 * np.pi)
    frame["Quantity"] = np.exp(sold + rng.normal(0, 0.2, len(frame))).round().astype(int)
    return frame


STAND_INS = {
    "bank_additional": bank,
    "california_housing": homes,
    "german_credit": credit,
    "fine_foods": reviews,
    "hotel_rates": hotel,
    "orange_juice_azure": juice,
}
